import CarnetRelyingParty
import CarnetResult
package import PolicyDocument

extension ReleasePolicy {
    /// The longest policy that is read, in bytes.
    package static let maximumByteCount = 65_536

    /// Reads a policy. Unknown and repeated members are errors, and so is one that opens nothing.
    package init(parsing bytes: [UInt8]) throws(PolicyError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw PolicyError("", "the policy has \(bytes.count) bytes; at most \(Self.maximumByteCount) are read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PolicyError("", "the policy is not UTF-8")
        }
        var root = try MappingReader(PolicyDocument.compose(text), path: "")
        let version = try root.text("version")
        guard version == "1" else { throw root.error("version", "is \(version); this program reads version 1") }
        var draft = Draft()
        draft.id = try root.text("id")
        guard Self.isIdentifier(draft.id) else {
            throw root.error("id", "is not 1 to 64 characters of a-z, 0-9, dot, dash and underscore")
        }
        for text in try root.optionalTexts("secrets") {
            guard let pattern = SecretPattern(text) else {
                throw root.error(
                    "secrets", "has \(text.prefix(80)), which is not repository/type/tag with * for any part")
            }
            draft.secrets.append(pattern)
        }
        for volume in try root.optionalTexts("volumes") {
            guard volume == "*" || SecretName.isPart(volume) else {
                throw root.error("volumes", "has \(volume.prefix(80)), which is no volume's name and not *")
            }
            draft.volumes.insert(volume)
        }
        guard !draft.secrets.isEmpty || !draft.volumes.isEmpty else {
            throw PolicyError("", "the policy opens nothing: name secrets or volumes")
        }
        draft.subjects = Set(try root.optionalTexts("machines"))
        if let other = draft.subjects.sorted().first(where: { !NodeSubject.isSubject($0) }) {
            throw root.error(
                "machines",
                "has \(other.prefix(80)), which is no machine's subject, such as urn:carnet:node:…: `carnet node list` shows it"
            )
        }
        if let passport = try root.optionalMapping("passport") { draft.demands = try PassportDemands(passport) }
        if let phases = try root.optionalMapping("phases") { draft.demands.phases = try PhaseExpectation(phases) }
        draft.freshness = try root.optionalChoice("freshness") ?? .passport
        if root.has("forms") { draft.forms = try Self.forms(&root) }
        try root.end()
        // Without a word that is there in time, a boot that measures no phases would never leave the first.
        guard draft.demands.phases.notReached.isEmpty || !draft.demands.phases.reached.isEmpty else {
            throw root.error(
                "phases.not_reached",
                "needs phases.reached: name a word that is measured before, such as enter-initrd; a boot that measures no phases would be let in otherwise"
            )
        }
        // A passport of an earlier phase would open what the later one must not have.
        guard draft.demands.phases.isEmpty || draft.demands.keyProtection == .tpmState else {
            throw root.error(
                "phases",
                "need passport.key_protection: tpm-state, whose keys stop working when the phase changes: a passport from before it could be shown otherwise"
            )
        }
        self.init(draft, text: bytes)
    }

    private static func forms(_ root: inout MappingReader) throws(PolicyError) -> Set<Form> {
        var forms: Set<Form> = []
        for text in try root.texts("forms") {
            guard let form = Form(rawValue: text) else {
                throw root.error("forms", "has \(text.prefix(40)), and none of jwe, tpm-import, kbs")
            }
            forms.insert(form)
        }
        guard !forms.isEmpty else { throw root.error("forms", "is empty") }
        return forms
    }

    /// Whether a text may be a policy's identifier.
    package static func isIdentifier(_ text: String) -> Bool {
        SecretName.isPart(text) && !text.utf8.contains { (0x41...0x5A).contains($0) }
    }
}

extension PassportDemands {
    init(_ reader: MappingReader) throws(PolicyError) {
        var reader = reader
        self.init()
        tier = try reader.optionalChoice("status") ?? tier
        guard tier != .none else { throw reader.error("status", "is none, which demands nothing") }
        depth = try reader.optionalChoice("depth") ?? depth
        keyProtection = try reader.optionalChoice("key_protection") ?? keyProtection
        if var floors = try reader.optionalMapping("vector") {
            for name in floors.names {
                guard let claim = TrustworthinessVector.Claim(rawValue: name) else {
                    throw floors.error(name, "is no claim of the trustworthiness vector")
                }
                vector[claim] = try floors.optionalChoice(name) ?? .affirming
            }
        }
        if var labels = try reader.optionalMapping("labels") {
            for name in labels.names { self.labels[name] = try labels.text(name) }
        }
        policies = Set(try reader.optionalTexts("policies"))
        if let text = try reader.optionalText("maximum_age") {
            guard let seconds = Int64(text), (1...3600).contains(seconds) else {
                throw reader.error("maximum_age", "is not a number of seconds from 1 to 3600")
            }
            maximumAge = seconds
        }
        if let word = try reader.optionalText("secure_boot") {
            guard word == "required" else { throw reader.error("secure_boot", "can only be required") }
            needsSecureBoot = true
        }
        try reader.end()
    }
}

extension PhaseExpectation {
    init(_ reader: MappingReader) throws(PolicyError) {
        var reader = reader
        self.init()
        reached = try Self.words("reached", &reader)
        notReached = try Self.words("not_reached", &reader)
        guard !isEmpty else { throw reader.error("", "names no phase") }
        guard reached.isDisjoint(with: notReached) else {
            throw reader.error("reached", "has a phase that not_reached has")
        }
        try reader.end()
    }

    private static func words(_ name: String, _ reader: inout MappingReader) throws(PolicyError) -> Set<String> {
        var words: Set<String> = []
        for word in try reader.optionalTexts(name) {
            guard isPhase(word) else {
                throw reader.error(name, "has \(word.prefix(40)), which is not 1 to 32 of a-z, 0-9 and dash")
            }
            words.insert(word)
        }
        return words
    }
}
