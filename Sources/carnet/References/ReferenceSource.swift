import CarnetAppraisal
import CarnetCommandLine
import Cryptography
import Foundation
import MeasurementLogs
import ReferenceValues

/// Makes components of files.
struct ReferenceSource {
    /// The name of all of them; `nil` for each file's.
    let name: String?
    let algorithms: [HashAlgorithm]
    let window: ValidityWindow

    /// The largest file that is not an image: 512 MiB.
    private static let maximumByteCount = 512 << 20
    /// The most files of a directory.
    private static let maximumFileCount = 100_000

    func components(
        images: [String], as type: ReferenceComponent.Class, unified: [String], files: [String],
        of fileType: ReferenceComponent.Class, certificates: [String]
    ) throws(Failure) -> [ReferenceComponent] {
        var components: [ReferenceComponent] = []
        try each(images) { (path, image) throws(Failure) in
            let label = try label(path)
            components += try named(
                path, ReferenceComponent.image(image, as: type, name: label, algorithms: algorithms, window: window))
        }
        try each(unified) { (path, image) throws(Failure) in
            guard image.isUnifiedKernelImage else {
                throw Failure(.unreadable, "\(path) has no section .linux: it is no unified kernel image.")
            }
            let label = try label(path)
            components += try named(
                path, ReferenceComponent.unifiedKernelImage(image, name: label, algorithms: algorithms, window: window))
        }
        for path in files {
            let bytes = try Input.bytes(path, maximum: Self.maximumByteCount), label = try label(path)
            components += try named(
                path, ReferenceComponent.file(bytes, as: fileType, name: label, algorithms: algorithms, window: window))
        }
        for path in certificates {
            let label = try label(path)
            for certificate in try Self.certificates(path) {
                components += try named(
                    path, ReferenceComponent.authority(certificate, name: label, window: window).map { [$0] })
            }
        }
        return components
    }

    /// Each image that is named, and each in directories that are named.
    private func each(_ paths: [String], _ body: (String, PEImage) throws(Failure) -> Void) throws(Failure) {
        var progress = Progress("files")
        for path in paths {
            guard Self.isDirectory(path) else {
                try body(path, try ReferenceFiles.image(path))
                continue
            }
            var count = 0
            let files = try Self.files(in: path)
            for (index, file) in files.enumerated() {
                progress.report(index, of: files.count)
                guard Self.beginsAsImage(file) else { continue }
                try body(file, try ReferenceFiles.image(file))
                count += 1
            }
            if count == 0 { throw Failure(.unreadable, "There is no image in \(path).") }
        }
    }

    private func label(_ path: String) throws(Failure) -> String {
        let label = name ?? (path as NSString).lastPathComponent
        let digest = ReferenceDigest(.sha256, [UInt8](repeating: 0, count: 32))
        guard digest.flatMap({ ReferenceComponent(.file, $0, name: label) }) != nil else {
            throw Failure(
                .unreadable,
                "\(label) cannot be a name: up to \(ReferenceComponent.maximumNameCount) printable ASCII characters. Give --name."
            )
        }
        return label
    }

    private func named(_ path: String, _ components: [ReferenceComponent]?) throws(Failure) -> [ReferenceComponent] {
        guard let components else {
            throw Failure(.unreadable, "\(path): the name is too long. Give a shorter --name.")
        }
        return components
    }

    private static func certificates(_ path: String) throws(Failure) -> [Certificate] {
        let bytes = try Input.bytes(path, maximum: 4 << 20)
        if let certificate = try? Certificate(der: bytes) { return [certificate] }
        guard let certificates = try? Certificate.parsePEM(bytes), !certificates.isEmpty else {
            throw Failure(.unreadable, "\(path) has no certificate.")
        }
        return certificates
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    /// The regular files below a directory, sorted; links are not followed.
    private static func files(in directory: String) throws(Failure) -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: directory) else {
            throw Failure(.unreachable, "\(directory) cannot be read.")
        }
        var files: [String] = []
        while let name = walk.nextObject() as? String {
            guard walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular else { continue }
            guard files.count < maximumFileCount else {
                throw Failure(.unreadable, "\(directory) has more than \(maximumFileCount) files.")
            }
            files.append(directory + "/" + name)
        }
        return files.sorted()
    }

    private static func beginsAsImage(_ path: String) -> Bool {
        guard let handle = FileHandle(forReadingAtPath: path) else { return false }
        return (try? handle.read(upToCount: 2)) == Data("MZ".utf8)
    }
}
