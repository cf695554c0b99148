import CarnetAppraisal
import ArgumentParser
import CarnetCommandLine
import ReferenceValues

struct ReferenceDebianCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "debian",
        abstract: "Add the files of installed Debian packages, as far as their checksums are the packages'.",
        discussion: """
            Examples:
              carnet reference debian debian-13.json
              carnet reference debian debian-13.json --root /mnt/image --packages coreutils bash

            Use it on a machine that you trust: packages have MD5 checksums only, and these lie beside the files.
            Exit status: 1 with --strict when a file is not what its package brought.
            """)

    @Argument(help: "The set's file. A new set is called like it.")
    var set: String

    @Option(help: "The folder that is the machine's root; nothing outside of it is read.")
    var root = "/"

    @Option(parsing: .upToNextOption, help: "Only these packages, as in coreutils or libc6:amd64.")
    var packages: [String] = []

    @Option(help: "The hash of the references: sha256, sha384 or sha512, as IMA has it.")
    var hash = "sha256"

    @Flag(help: "Modified files make the exit status 1; the set is written all the same.")
    var strict = false

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let set: ReferenceChange
        let packages: Int
        let modified, modifiedConfiguration, unreadable, packagesWithoutChecksums: [String]
        let missing: Int
    }

    func run() throws {
        let algorithm = try ReferenceFiles.hash(hash), before = try ReferenceFiles.readOrMake(set)
        let found: DebianPackages.Report
        var progress = Progress("packages")
        do throws(DebianError) {
            let names = packages.isEmpty ? nil : packages
            found = try DebianPackages(root: root, names: names, algorithm: algorithm).read {
                progress.report($0, of: $1)
            }
        } catch {
            switch error {
            case .unreachable: throw Failure(.unreachable, "\(root): \(error)")
            case .notInstalled: throw Failure(.refused, "\(root): \(error)")
            case .malformed, .tooLarge, .withoutMD5: throw Failure(.unreadable, "\(root): \(error)")
            }
        }
        let after = try ReferenceFiles.explaining(set) { () throws(ReferenceSetError) in
            try before.merging(files: found.files)
        }
        try ReferenceFiles.write(after, to: set)
        let change = try ReferenceChange(before, after)
        func texts(_ paths: [[UInt8]]) -> [String] { paths.map { String(decoding: $0, as: UTF8.self) } }
        if json {
            try Output.json(
                Report(
                    set: change, packages: found.packageCount, modified: texts(found.modified),
                    modifiedConfiguration: texts(found.modifiedConfiguration), unreadable: texts(found.unreadable),
                    packagesWithoutChecksums: found.packagesWithoutChecksums, missing: found.missing.count))
        } else {
            for path in texts(found.modified) { Output.line("modified    \(path)") }
            for path in texts(found.unreadable) { Output.line("unreadable  \(path)") }
            Output.line(
                "\(found.packageCount) packages (\(found.packagesWithoutChecksums.count) without checksums): "
                    + "\(found.files.count) files as their packages brought them; left out: "
                    + "\(found.modified.count) modified, \(found.modifiedConfiguration.count) configured, "
                    + "\(found.missing.count) missing, \(found.unreadable.count) unreadable")
            try change.print(json: false)
        }
        if strict, !found.modified.isEmpty {
            throw Failure(.refused, "\(found.modified.count) files are not what their packages brought.")
        }
    }
}
