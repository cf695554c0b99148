import Cryptography
import Fixtures
import Foundation
import CarnetAppraisal
import StrictEncoding
import Testing

/// Values to make sets of.
enum Sample {
    static func digest(_ number: Int, _ algorithm: HashAlgorithm = .sha256) throws -> ReferenceDigest {
        try #require(ReferenceDigest(algorithm, algorithm.hash(Array("\(number)".utf8))))
    }

    static func time(_ text: String) throws -> Int64 { try #require(RFC3339.parse(text)) }

    static func component(
        _ type: ReferenceComponent.Class = .application, _ number: Int = 1, name: String = "shim 15.8",
        from: String? = nil, until: String? = nil
    ) throws -> ReferenceComponent {
        let window = try #require(ValidityWindow(from: from.map(time), until: until.map(time)))
        return try #require(ReferenceComponent(type, digest(number), name: name, window: window))
    }

    static func file(_ path: String, _ number: Int = 1) throws -> ReferenceFile {
        try #require(ReferenceFile(path: Array(path.utf8), digest(number)))
    }

    static let digits = String(repeating: "ab", count: 32)

    /// A document of version 1, written by hand.
    static func document(
        version: String = "1", name: String = "\"debian-13\"", components: String = "[]", files: String = "[]",
        more: String = ""
    ) -> [UInt8] {
        Array(
            #"{"version":\#(version),"name":\#(name),"description":"d","components":\#(components),"files":\#(files)\#(more)}"#
                .utf8)
    }
}
