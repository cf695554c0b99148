import CarnetAgent
import Fixtures
import Foundation
import Testing

/// The files and the socket's place.
@Suite("The agent's places", .timeLimit(.minutes(1))) struct AgentFileTests {
    @Test("A file's mode lets its owner read, and nobody else write")
    func modes() {
        for (text, mode) in [("0600", 0o600), ("640", 0o640), ("0644", 0o644), ("0400", 0o400)] as [(String, UInt32)] {
            #expect(SharedFile.mode(text) == mode)
        }
        for text in ["", "0", "0666", "0660", "0755", "0004", "4600", "0o600", "rw", "-600", "00600", "0680"] {
            #expect(SharedFile.mode(text) == nil, "\(text)")
        }
    }

    @Test("A lock is one process's, and free when it is gone")
    func locks() throws {
        let folder = try TemporaryDirectory(), path = folder.path + "/agent.lock"
        var lock: FileLock? = try FileLock(path, of: "x")
        let error = #expect(throws: AgentStartError.self) { try FileLock(path, of: "the state in x") }
        #expect(error?.code == .taken && error?.description.contains("the state in x") == true)
        withExtendedLifetime(lock) {}
        lock = nil
        #expect(throws: Never.self) { try FileLock(path, of: "x") }
        // What somebody else put there is not followed.
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: path)
        #expect(throws: AgentStartError.self) { try FileLock(folder.path + "/link", of: "x") }
    }

    @Test("The socket's directory is nobody else's to write; a dead agent's socket goes, a file does not")
    func places() throws {
        let folder = try TemporaryDirectory(), made = folder.path + "/run/agent.sock"
        let taken = try AgentSocket(made)
        #expect(throws: AgentStartError.self) { try AgentSocket(made) }
        #expect(taken.path == made)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/run")
        #expect(attributes[.posixPermissions] as? Int == 0o755)
        let open = folder.path + "/open"
        try FileManager.default.createDirectory(atPath: open, withIntermediateDirectories: true)
        for mode in [0o777, 0o1777, 0o775] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: open)
            #expect(throws: AgentStartError.self) { try AgentSocket(open + "/agent.sock") }
        }
        _ = try folder.write([1], "file")
        #expect(throws: AgentStartError.self) { try AgentSocket(folder.path + "/file") }
        #expect(FileManager.default.fileExists(atPath: folder.path + "/file"))
        for path in [
            "agent.sock", "", folder.path + "/" + String(repeating: "x", count: 108), "/no/such/folder/a.sock",
        ] {
            #expect(throws: AgentStartError.self, "\(path)") { try AgentSocket(path) }
        }
    }
}
