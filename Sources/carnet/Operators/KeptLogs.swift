import ArgumentParser
import CarnetCommandLine
import MeasurementLogs
import StrictEncoding

/// The logs of one boot: from files, or from the evidence that the verifier keeps of a machine.
struct KeptLogs {
    let eventLog: [UInt8]
    let runtimeLog: [UInt8]?
    /// Where they are from, for messages.
    let source: String

    /// The logs in files.
    init(eventLog: String, runtimeLog: String?) throws {
        source = eventLog
        self.eventLog = try Input.bytes(eventLog)
        self.runtimeLog = try runtimeLog.map { try Input.bytes($0) }
    }

    /// The logs of the last evidence of a node.
    init(of node: String, _ options: OperatorOptions) async throws {
        let identifier = try await options.nodeIdentifier(node)
        let evidence = try await options.send("GET", "/admin/v1/nodes/\(identifier)/evidence")?["evidence"]
        try self.init(in: evidence, of: node)
    }

    /// The logs in evidence.
    init(in evidence: JSONNode?, of node: String) throws(Failure) {
        guard let log = evidence?["event_log"]?.string.flatMap({ Base64URL.decode($0) }) else {
            throw Failure(.refused, "The evidence that is kept of \(node) has no event log.")
        }
        source = node
        eventLog = log
        runtimeLog = evidence?["runtime_log"]?.string.flatMap { Base64URL.decode($0) }
    }

    /// The firmware's log, with systemd's behind it.
    func joined() throws(Failure) -> EventLog {
        let log: EventLog
        do {
            log = try EventLog(parsing: eventLog)
        } catch {
            throw Failure(.unreadable, "The event log of \(source) cannot be read: \(error).")
        }
        guard let runtimeLog else { return log }
        do {
            return try log.appending(RuntimeLog(parsing: runtimeLog))
        } catch {
            throw Failure(.unreadable, "The runtime log of \(source) cannot be read: \(error).")
        }
    }
}
