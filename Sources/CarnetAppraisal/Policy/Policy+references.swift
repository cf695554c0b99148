internal import PolicyDocument
internal import Cryptography
internal import MeasurementLogs
internal import TPM2

extension Policy {
    /// The most sets that a policy names.
    public static let maximumReferenceCount = 16

    /// This policy with what the sets allow: their components beside those of its rules, their files beside those of its `ima`.
    ///
    /// A set only adds to rules that the policy has: it never makes one. What no rule takes is told in ``warnings``.
    ///
    /// - Parameter documents: Sets as ``ReferenceSet/bytes()`` writes them. Each counts for the digest that its bytes have, those that the
    ///   policy does not name for nothing.
    /// - Throws: ``PolicyError`` for a document of the right digest that is no set, or calls itself otherwise than the policy does.
    public func resolved(with documents: [[UInt8]]) throws(PolicyError) -> Policy {
        var policy = self
        for document in documents {
            let digest = HashAlgorithm.sha256.hash(document)
            guard let name = policy.missingReferences.first(where: { $0.digest == digest }) else { continue }
            let set: ReferenceSet
            do { set = try ReferenceSet(parsing: document) } catch { throw PolicyError("references", "\(error)") }
            guard set.name == name.name else {
                throw PolicyError("references", "name \(name.name), and the set of this digest is called \(set.name)")
            }
            policy.missingReferences.removeAll { $0 == name }
            try policy.add(set)
        }
        return policy
    }

    private mutating func add(_ set: ReferenceSet) throws(PolicyError) {
        var allowed: [ComponentClass: [ComponentRule.Allowed]] = [:]
        let algorithms = banks.map(\.algorithm)
        for component in set.components {
            let kind = ComponentClass(component.type)
            guard kind == .authority || algorithms.contains(TPM.AlgorithmID(component.digest.algorithm)) else {
                continue
            }
            allowed[kind, default: []].append(
                ComponentRule.Allowed(
                    match: .digest(component.digest.bytes), name: component.name, window: component.window))
        }
        components = components.map { rule in
            guard let more = allowed.removeValue(forKey: rule.componentClass) else { return rule }
            return ComponentRule(
                componentClass: rule.componentClass, allowed: rule.allowed + more, others: rule.others)
        }
        for kind in allowed.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            referenceWarnings.append(
                "\(set.name) has components of the class \(kind.rawValue), and components.\(kind.rawValue) is not in the policy: they count for nothing"
            )
        }
        guard !set.files.isEmpty else { return }
        guard let ima else {
            referenceWarnings.append("\(set.name) has files, and the policy has no ima: they count for nothing")
            return
        }
        let files = set.files.lazy.compactMap { file in file.digest.imaDigest.map { (path: file.path, digest: $0) } }
        do {
            self.ima = ima.allowing(try ima.allowList.adding(paths: files))
        } catch {
            throw PolicyError("references", "\(set.name) has a digest of \(error.algorithm), which proves nothing")
        }
    }
}

extension ComponentClass {
    /// Where a component of a set counts. Kernels and initial RAM disks are files that a boot loader reads.
    init(_ type: ReferenceComponent.Class) {
        self =
            switch type {
            case .application: .application
            case .driver: .driver
            case .firmware: .firmware
            case .file, .kernel, .initrd: .file
            case .mokList: .mokList
            case .section: .section
            case .authority: .authority
            }
    }
}
