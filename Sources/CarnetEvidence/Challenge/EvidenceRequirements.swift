package import StrictEncoding

/// Which logs a verifier wants beside a quote.
public struct EvidenceRequirements: Sendable, Hashable {
    /// Whether a log is to be sent.
    public enum Log: String, Sendable, Hashable, CaseIterable {
        /// It is not wanted.
        case none
        /// It is read where it comes.
        case optional
        /// Without it nothing is `affirming`.
        case required
    }

    /// The firmware's event log.
    public var eventLog: Log
    /// systemd's runtime log.
    public var runtimeLog: Log
    /// The number of the first entry of the kernel's IMA list that is wanted, 0 to 2^40; 0 is the whole list, `nil` none of it.
    public var imaOffset: Int?

    /// Requirements; by default those of a verifier that says nothing.
    public init(eventLog: Log = .optional, runtimeLog: Log = .none, imaOffset: Int? = nil) {
        self.eventLog = eventLog
        self.runtimeLog = runtimeLog
        self.imaOffset = imaOffset
    }

    /// Reads `event_log`, `runtime_log` and `ima` of a session or of requirements; other members of the object are others' to read.
    ///
    /// - Throws: At a word that is not known, and at any other member of `ima` than `offset`.
    package init(_ node: JSONNode, path: String = "") throws(EvidenceError) {
        var reader = try MemberReader(node, path: path)
        eventLog = try Log(reader.optional("event_log"), reader.path(of: "event_log")) ?? .optional
        runtimeLog = try Log(reader.optional("runtime_log"), reader.path(of: "runtime_log")) ?? Log.none
        imaOffset = nil
        if let ima = reader.optional("ima") {
            var members = try MemberReader(ima, path: reader.path(of: "ima"))
            imaOffset = try members.integer("offset", in: 0...Evidence.IMA.maximumOffset)
            try members.end()
        }
    }

    /// Writes `event_log`, `runtime_log`, and `ima` where the list is wanted, into the current object.
    package func write(to writer: inout JSONWriter) {
        writer.string("event_log", eventLog.rawValue)
        writer.string("runtime_log", runtimeLog.rawValue)
        if let imaOffset { writer.object("ima") { $0.integer("offset", Int64(imaOffset)) } }
    }
}

extension EvidenceRequirements.Log {
    init?(_ node: JSONNode?, _ path: String) throws(EvidenceError) {
        guard let node else { return nil }
        guard let word = Self.allCases.first(where: { node.isString(equalTo: $0.rawValue) }) else {
            throw EvidenceError(path, "is not none, optional or required")
        }
        self = word
    }
}
