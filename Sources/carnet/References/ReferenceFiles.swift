import CarnetAppraisal
import ArgumentParser
import CarnetCommandLine
import Cryptography
import Foundation
import MeasurementLogs
import ReferenceValues

/// Sets in files.
enum ReferenceFiles {
    /// The set in a file.
    static func read(_ path: String, format: ReferenceFormat = .json) throws(Failure) -> ReferenceSet {
        let bytes = try Input.bytes(path, maximum: ReferenceSet.maximumByteCount)
        return try explaining(path) { () throws(ReferenceSetError) in try format.parse(bytes) }
    }

    /// The set in a file, or an empty one that is called like the file when there is none.
    static func readOrMake(_ path: String) throws(Failure) -> ReferenceSet {
        guard !FileManager.default.fileExists(atPath: path) else { return try read(path) }
        let name = (path as NSString).lastPathComponent
        let stem = name.hasSuffix(".json") ? String(name.dropLast(5)) : name
        guard ReferenceSet.isName(stem) else {
            throw Failure(
                .unreadable, "A set is called like its file: 1 to 64 of a-z, 0-9, full stop, _ and -, then .json.")
        }
        return try explaining(path) { () throws(ReferenceSetError) in try ReferenceSet(name: stem) }
    }

    /// Writes a set in one step: the file is the old one or the new one.
    static func write(_ set: ReferenceSet, to path: String?, format: ReferenceFormat = .json) throws(Failure) {
        let bytes = try explaining(path ?? "-") { () throws(ReferenceSetError) in try format.write(set) }
        try Output.bytes(bytes, to: path)
    }

    /// A digest of the set, as `sha256:` and digits.
    static func digest(_ set: ReferenceSet) throws(Failure) -> String {
        let bytes = try explaining(set.name) { () throws(ReferenceSetError) in try set.digest() }
        return ReferenceDigest(.sha256, bytes)?.description ?? ""
    }

    static func explaining<Value>(
        _ path: String, _ body: () throws(ReferenceSetError) -> Value
    ) throws(Failure) -> Value {
        do { return try body() } catch { throw Failure(.unreadable, "\(path): \(error)") }
    }

    /// An image from a file.
    static func image(_ path: String) throws(Failure) -> PEImage {
        let bytes = try Input.bytes(path, maximum: PEImage.maximumByteCount)
        do { return try PEImage(parsing: bytes) } catch { throw Failure(.unreadable, "\(path): \(error)") }
    }

    /// The hash of a bank's name.
    static func hash(_ name: String) throws -> HashAlgorithm {
        switch name {
        case "sha256": .sha256
        case "sha384": .sha384
        case "sha512": .sha512
        default: throw ValidationError("\(name) is no bank: sha256, sha384 or sha512.")
        }
    }
}

/// Says on standard error how far long work has come: at most once in two seconds, and nothing about short work.
struct Progress {
    private let what: String
    private var last = ContinuousClock.now

    init(_ what: String) { self.what = what }

    mutating func report(_ done: Int, of total: Int) {
        guard ContinuousClock.now - last >= .seconds(2) else { return }
        last = .now
        try? FileHandle.standardError.write(contentsOf: Data("\(done) of \(total) \(what)\n".utf8))
    }
}
