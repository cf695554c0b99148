public import CarnetAppraisal
public import Cryptography
internal import StrictEncoding

/// Files of Debian packages as reference values: those whose MD5 is the package's.
///
/// The checksums lie on the same machine as the files. Read a machine that you trust, as one that was just installed: this finds what
/// has changed by accident or by habit, not who would hide a change.
public struct DebianPackages {
    /// What was found.
    public struct Report: Sendable {
        /// The files as their packages brought them, by their places without links. Not sorted; a file may stand twice.
        public internal(set) var files: [ReferenceFile] = []
        /// Files whose content is not the package's, by the package's paths. They are left out.
        public internal(set) var modified: [[UInt8]] = []
        /// Configuration files that somebody changed, as they are meant to be. They are left out.
        public internal(set) var modifiedConfiguration: [[UInt8]] = []
        /// Files that are not there, as documentation on small systems.
        public internal(set) var missing: [[UInt8]] = []
        /// Files that are no regular files, cannot be read, or have paths that a set cannot hold.
        public internal(set) var unreadable: [[UInt8]] = []
        /// Packages that came without checksums.
        public internal(set) var packagesWithoutChecksums: [String] = []
        /// How many packages were looked at.
        public internal(set) var packageCount = 0
    }

    private let root: RootFolder
    private let diversions: DebianDiversions
    private let packages: [DebianStatus.Package]
    private let algorithm: HashAlgorithm

    private static let database = "/var/lib/dpkg/"

    /// The packages that are installed below a root.
    ///
    /// - Parameters:
    ///   - root: The folder that is the machine's root. Nothing outside of it is read.
    ///   - names: Packages, with or without their architecture, as in `libc6:amd64`; `nil` for all.
    ///   - algorithm: The hash of the references.
    public init(root path: String, names: [String]? = nil, algorithm: HashAlgorithm = .sha256) throws(DebianError) {
        guard let root = RootFolder(path) else { throw .unreachable(path: path, reason: "it is no folder") }
        guard InsecureMD5() != nil else { throw .withoutMD5 }
        self.root = root
        self.algorithm = algorithm
        guard
            let status = DebianStatus(
                parsing: try Self.bytes(root, "status", maximum: DebianStatus.maximumByteCount) ?? [])
        else { throw .malformed(path: Self.database + "status", reason: "is not what dpkg writes") }
        let list = try Self.bytes(root, "diversions", maximum: DebianDiversions.maximumByteCount, isOptional: true)
        guard let diversions = DebianDiversions(parsing: list ?? []) else {
            throw .malformed(path: Self.database + "diversions", reason: "is not what dpkg writes")
        }
        self.diversions = diversions
        guard let names else {
            packages = status.packages
            return
        }
        for name in names where !status.packages.contains(where: { $0.isCalled(name) }) {
            throw .notInstalled(name)
        }
        packages = status.packages.filter { package in names.contains { package.isCalled($0) } }
    }

    /// Reads every file of the packages once, and hashes it.
    ///
    /// - Parameter progress: Called after each package with how many are done and how many there are.
    public func read(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws(DebianError) -> Report {
        var report = Report()
        for (index, package) in packages.enumerated() {
            try read(package, &report)
            guard report.files.count <= ReferenceSet.maximumFileCount else {
                throw .tooLarge("more than \(ReferenceSet.maximumFileCount) files")
            }
            progress(index + 1, packages.count)
        }
        report.packageCount = packages.count
        return report
    }

    private func read(_ package: DebianStatus.Package, _ report: inout Report) throws(DebianError) {
        let configuration = Set(package.configurationFiles.map(\.path))
        for entry in package.configurationFiles {
            read(entry, of: package, modified: \.modifiedConfiguration, &report)
        }
        guard let checksums = try checksums(of: package) else {
            report.packagesWithoutChecksums.append(package.name)
            return
        }
        for entry in checksums.entries where !configuration.contains(entry.path) {
            read(entry, of: package, modified: \.modified, &report)
        }
    }

    private func checksums(of package: DebianStatus.Package) throws(DebianError) -> DebianChecksums? {
        // Packages of which several architectures can be there have theirs in the name.
        for name in ["\(package.name):\(package.architecture)", package.name] {
            let file = "info/\(name).md5sums"
            guard
                let bytes = try Self.bytes(
                    root, file, maximum: DebianChecksums.maximumByteCount, isOptional: true)
            else { continue }
            guard let checksums = DebianChecksums(parsing: bytes) else {
                throw .malformed(path: Self.database + file, reason: "is no list of checksums")
            }
            return checksums
        }
        return nil
    }

    private func read(
        _ entry: DebianChecksums.Entry, of package: DebianStatus.Package, modified: WritableKeyPath<Report, [[UInt8]]>,
        _ report: inout Report
    ) {
        guard var md5 = InsecureMD5() else { return report.unreadable.append(entry.path) }
        var hash = IncrementalHash(algorithm)
        do throws(RootFolder.Problem) {
            let path = try root.read(diversions.place(of: entry.path, ofPackage: package.name)) {
                md5.update($0)
                hash.update($0)
            }
            guard md5.finalize() == entry.md5 else { return report[keyPath: modified].append(entry.path) }
            guard let digest = ReferenceDigest(algorithm, hash.finalize()),
                let file = ReferenceFile(path: path, digest)
            else { return report.unreadable.append(entry.path) }
            report.files.append(file)
        } catch {
            if case .missing = error { report.missing.append(entry.path) } else { report.unreadable.append(entry.path) }
        }
    }

    /// A file of the database; `nil` for one that is not there and need not be.
    private static func bytes(
        _ root: RootFolder, _ name: String, maximum: Int, isOptional: Bool = false
    ) throws(DebianError) -> [UInt8]? {
        do throws(RootFolder.Problem) {
            return try root.bytes(database + name, maximum: maximum)
        } catch {
            switch error {
            case .missing:
                if isOptional { return nil }
                throw .unreachable(path: database + name, reason: "it is not there")
            case .notRegular: throw .unreachable(path: database + name, reason: "it is no regular file")
            case .failed(let reason): throw .unreachable(path: database + name, reason: reason)
            }
        }
    }
}

extension DebianStatus.Package {
    fileprivate func isCalled(_ text: String) -> Bool { text == name || text == "\(name):\(architecture)" }
}
