import CarnetAppraisal
import ArgumentParser
import CarnetCommandLine
import Cryptography
import Foundation
import StrictEncoding
import MeasurementLogs
import ReferenceValues

struct ReferenceAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add digests of images, files and certificates to a set; make the set if there is none.",
        discussion: """
            Examples:
              carnet reference add debian-13.json --efi /usr/lib/shim/shimx64.efi.signed --name "shim 15.8"
              carnet reference add debian-13.json --uki /boot/efi/EFI/Linux --until 2027-03-01T00:00:00Z
              carnet reference add debian-13.json --file /boot/vmlinuz-6.12.57 --as kernel
              carnet reference add debian-13.json --certificate debian-uefi-ca.der
            """)

    enum FileClass: String, ExpressibleByArgument, CaseIterable {
        case kernel, initrd, file
        case mokList = "mok-list"
    }

    @Argument(help: "The set's file. A new set is called like it.")
    var set: String

    @Option(parsing: .upToNextOption, help: "EFI images: their Authenticode digests. Of a directory every image in it.")
    var efi: [String] = []

    @Flag(help: "The images of --efi are drivers.")
    var driver = false

    @Option(parsing: .upToNextOption, help: "Unified kernel images: themselves, and their sections.")
    var uki: [String] = []

    @Option(parsing: .upToNextOption, help: "Files that a boot loader reads: the digests of their bytes.")
    var file: [String] = []

    @Option(name: .customLong("as"), help: "What the files of --file are.")
    var fileClass = FileClass.file

    @Option(parsing: .upToNextOption, help: "Certificates, PEM or DER, whose holders may say what runs.")
    var certificate: [String] = []

    @Option(parsing: .upToNextOption, help: "Banks besides sha256: sha384, sha512.")
    var bank: [String] = []

    @Option(help: "The name of what is added; by default each file's.")
    var name: String?

    @Option(help: "When it begins to count, as in 2026-12-01T00:00:00Z.")
    var from: String?

    @Option(help: "When it ceases to count.")
    var until: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        guard !(efi + uki + file + certificate).isEmpty else {
            throw ValidationError("Name what to add: --efi, --uki, --file or --certificate.")
        }
        guard let window = ValidityWindow(from: try time(from), until: try time(until)) else {
            throw ValidationError("--until is not after --from.")
        }
        var algorithms = [HashAlgorithm.sha256]
        for name in bank {
            let algorithm = try ReferenceFiles.hash(name)
            if !algorithms.contains(algorithm) { algorithms.append(algorithm) }
        }
        let before = try ReferenceFiles.readOrMake(set)
        let components = try ReferenceSource(name: name, algorithms: algorithms, window: window).components(
            images: efi, as: driver ? .driver : .application, unified: uki, files: file,
            of: ReferenceComponent.Class(rawValue: fileClass.rawValue) ?? .file, certificates: certificate)
        let after = try ReferenceFiles.explaining(set) { () throws(ReferenceSetError) in
            try before.merging(components: components)
        }
        try ReferenceFiles.write(after, to: set)
        try ReferenceChange(before, after).print(json: json)
    }

    private func time(_ text: String?) throws -> Int64? {
        guard let text else { return nil }
        guard let time = RFC3339.parse(text) else {
            throw ValidationError("\(text) is no time like 2026-12-01T00:00:00Z.")
        }
        return time
    }
}

/// What a command did to a set.
struct ReferenceChange: Encodable {
    let name, sha256: String
    let components, files, added, replaced: Int

    init(_ before: ReferenceSet, _ after: ReferenceSet) throws(Failure) {
        let difference = ReferenceDifference(from: before, to: after)
        name = after.name
        sha256 = try ReferenceFiles.digest(after)
        components = after.components.count
        files = after.files.count
        added = difference.addedComponents.count + difference.addedFiles.count
        replaced = difference.removedComponents.count + difference.removedFiles.count
    }

    func print(json: Bool) throws {
        if json { return try Output.json(self) }
        Output.line("\(name): \(added) added\(replaced == 0 ? "" : ", \(replaced) of them with another window")")
        Output.table([("components", String(components)), ("files", String(files)), ("set", sha256)])
    }
}
