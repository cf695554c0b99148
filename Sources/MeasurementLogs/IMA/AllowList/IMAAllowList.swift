/// What may run: digests, digests at paths, and keys that sign files; and names that are not asked about.
///
/// Looking up an entry takes the same time however long the list is. A path only ever narrows what a digest allows: paths are hints.
public struct IMAAllowList: Sendable {
    /// A digest that the list cannot hold.
    public struct WeakDigest: Error, Hashable {
        public let algorithm: IMADigestAlgorithm
    }

    private var anywhere: Set<IMADigest>
    /// Sorted, so that a digest of a thousand places is found as fast as any other.
    private var placed: [IMADigest: [[UInt8]]] = [:]
    private var expected: [[UInt8]: [IMADigest]] = [:]
    private var keys: [UInt32: [IMASigningKey]] = [:]
    private let excludedFiles: [IMAPathPattern]
    private let excludedBuffers: [IMAPathPattern]

    /// A list of these.
    ///
    /// - Parameters:
    ///   - digests: Allowed under any name: of files, of fs-verity descriptors, of buffers.
    ///   - paths: Allowed under this name only, any number for each.
    ///   - keys: Whoever has one of them may allow files.
    ///   - excludedFiles: Files whose paths are not asked about.
    ///   - excludedBuffers: Buffers whose names are not asked about.
    /// - Throws: ``WeakDigest`` for a digest whose hash is not collision resistant.
    public init(
        digests: some Sequence<IMADigest> = [], paths: some Sequence<(path: [UInt8], digest: IMADigest)> = [],
        keys: [IMASigningKey] = [], excludedFiles: [IMAPathPattern] = [], excludedBuffers: [IMAPathPattern] = []
    ) throws(WeakDigest) {
        self.excludedFiles = excludedFiles
        self.excludedBuffers = excludedBuffers
        anywhere = Set(digests)
        for digest in anywhere { try Self.check(digest) }
        for (path, digest) in paths {
            try Self.check(digest)
            placed[digest, default: []].append(path)
            expected[path, default: []].append(digest)
        }
        for key in keys { self.keys[key.keyID, default: []].append(key) }
        sortPlaces()
    }

    /// This list, and more digests at paths.
    ///
    /// - Throws: ``WeakDigest`` for a digest whose hash is not collision resistant.
    public func adding(paths: some Sequence<(path: [UInt8], digest: IMADigest)>) throws(WeakDigest) -> IMAAllowList {
        var list = self
        for (path, digest) in paths {
            try Self.check(digest)
            list.placed[digest, default: []].append(path)
            list.expected[path, default: []].append(digest)
        }
        list.sortPlaces()
        return list
    }

    private mutating func sortPlaces() {
        placed = placed.mapValues { paths in
            paths.count < 2 ? paths : paths.sorted { $0.lexicographicallyPrecedes($1) }
        }
    }

    private static func check(_ digest: IMADigest) throws(WeakDigest) {
        guard digest.algorithm.isCollisionResistant else { throw WeakDigest(algorithm: digest.algorithm) }
    }

    /// What the list says about an entry. Ask only about entries that a quote covers.
    ///
    /// - Parameter bootAggregate: The digest that ``IMABootAggregate`` found to match; entries of its name and digest are accounted for.
    public func verdict(of entry: IMAEntry, bootAggregate: IMADigest? = nil) -> IMAVerdict {
        switch entry.content {
        case .file(let file):
            if file.digest == bootAggregate, file.name.matches(IMABootAggregate.name) { return .bootAggregate }
            return verdict(of: file)
        case .buffer(let buffer): return verdict(of: buffer)
        case .violation: return .violation
        case .ambiguous(let file, let buffer):
            // Who chose does not matter where the list lets both pass; the weaker of the two verdicts stands.
            let asFile = verdict(of: file), asBuffer = verdict(of: buffer)
            guard asFile.passes, asBuffer.passes else { return .ambiguous }
            return asFile.isExcluded ? asFile : asBuffer
        case .unreadable(let reason): return .unreadable(reason)
        }
    }

    private func verdict(of file: IMAFile) -> IMAVerdict {
        if let allowed = allowed(file.digest, file.name) { return allowed }
        if let pattern = excludedFiles.first(where: { $0.matches(file.name.bytes) }) {
            return .excluded(by: pattern.description)
        }
        guard file.digest.algorithm.isCollisionResistant else { return .weakDigest(file.digest.algorithm) }
        let signer = signer(of: file)
        if case .key(let keyID) = signer { return .allowedByKey(keyID) }
        if let expected = expected[Array(file.name.bytes)] { return .wrongDigest(expected: expected) }
        if case .nobody(let problem) = signer, !keys.isEmpty { return .unsigned(problem) }
        return .unknownPath
    }

    private func verdict(of buffer: IMABuffer) -> IMAVerdict {
        if let allowed = allowed(buffer.digest, buffer.name) { return allowed }
        if let pattern = excludedBuffers.first(where: { $0.matches(buffer.name.bytes) }) {
            return .excluded(by: pattern.description)
        }
        guard buffer.digest.algorithm.isCollisionResistant else { return .weakDigest(buffer.digest.algorithm) }
        return expected[Array(buffer.name.bytes)].map { .wrongDigest(expected: $0) } ?? .unlistedBuffer
    }

    private func allowed(_ digest: IMADigest, _ name: IMAName) -> IMAVerdict? {
        if !anywhere.isEmpty, anywhere.contains(digest) { return .allowedByDigest }
        guard let paths = placed[digest] else { return nil }
        var low = 0, high = paths.count
        while low < high {
            let middle = low + (high - low) / 2
            if paths[middle].elementsEqual(name.bytes) { return .allowedByPathAndDigest }
            if paths[middle].lexicographicallyPrecedes(name.bytes) { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    private enum Signer {
        case key(UInt32)
        case nobody(IMASignatureProblem)
    }

    private func signer(of file: IMAFile) -> Signer {
        guard !file.signatureField.isEmpty else { return .nobody(.missing) }
        guard let signature = file.signature else { return .nobody(.unreadable) }
        guard let named = keys[signature.keyID] else { return .nobody(.unknownKey(signature.keyID)) }
        return named.contains { $0.signed(file.digest, signature) }
            ? .key(signature.keyID) : .nobody(.invalid(signature.keyID))
    }
}
