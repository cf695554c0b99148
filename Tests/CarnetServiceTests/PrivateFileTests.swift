import Fixtures
import CarnetService
import Foundation
import Testing

@Suite struct PrivateFileTests {
    private let path = TemporaryFolder.path("private")

    @Test("A file is created for its owner only, and never over another one") func creating() throws {
        try PrivateFile.create(path, [1, 2, 3])
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try PrivateFile.read(path) == [1, 2, 3])
        #expect(throws: ServiceStartError.self) { try PrivateFile.create(path, [4]) }
        #expect(try PrivateFile.read(path) == [1, 2, 3])
    }

    @Test("A file that is not there is no error") func absent() throws { #expect(try PrivateFile.read(path) == nil) }

    @Test("A file that others can read or write is refused", arguments: [0o640, 0o604, 0o620, 0o602, 0o644, 0o777])
    func exposed(_ mode: Int) throws {
        try PrivateFile.create(path, [1])
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        #expect(throws: ServiceStartError.exposed(path, mode: String(mode, radix: 8))) { try PrivateFile.read(path) }
    }

    @Test("A file that is too long, and a folder, are refused") func wrong() throws {
        try PrivateFile.create(path, [UInt8](repeating: 1, count: 33))
        #expect(throws: ServiceStartError.self) { try PrivateFile.read(path, maximumByteCount: 32) }
        #expect(try PrivateFile.read(path, maximumByteCount: 33)?.count == 33)
        #expect(throws: ServiceStartError.self) { try PrivateFile.read("/") }
    }
}
