import Testing

@testable import CarnetStorage

@Suite struct DatabaseAddressTests {
    @Test(
        "An address is told without its password",
        arguments: [
            (
                "postgresql://carnet:secret@db.example/carnet?sslmode=verify-full",
                "postgresql://carnet@db.example/carnet"
            ),
            ("postgres://carnet:secret@db.example:6432/carnet", "postgresql://carnet@db.example:6432/carnet"),
            (
                "postgresql://carnet@a.example:1,b.example:2/carnet?password=secret",
                "postgresql://carnet@a.example:1,b.example:2/carnet"
            ),
            ("postgresql://carnet:secret%40@[::1]/carnet", "postgresql://carnet@::1/carnet"),
            ("postgresql:///carnet?host=/run/postgresql&user=carnet", "postgresql://carnet@/run/postgresql/carnet"),
            ("sqlite:/var/lib/carnet/carnet.sqlite", "sqlite:/var/lib/carnet/carnet.sqlite"),
        ])
    func description(_ text: String, _ description: String) throws {
        #expect(try DatabaseAddress(parsing: text).description == description)
    }

    @Test(
        "What is no address is refused, and never repeated",
        arguments: [
            "", "sqlite:", "secret", "mysql://carnet:secret@db/carnet", "postgresql://carnet:se@cret@db.example/carnet",
            "postgresql://carnet:secret@db.example:port/carnet?secret=1", "postgresql://carnet:secret@db.example",
            "postgresql://carnet:secret@db.example/", "postgresql://carnet:secret@db.example/carnet\u{0}",
            "postgresql://carnet:se/cret@db.example/carnet", "postgresql://carnet:%zzsecret@db.example/carnet",
            "host=db.example password=secret", "postgresql://c:secret@h/" + String(repeating: "d", count: 5000),
        ])
    func refused(_ text: String) throws {
        do {
            _ = try DatabaseAddress(parsing: text)
            Issue.record("accepted \(text)")
        } catch {
            #expect(error.code == .refused)
            #expect(!error.reason.contains("cret") && !error.reason.contains("db.example"))
        }
    }

    @Test(
        "Over a network the server's certificate is checked unless the address says otherwise",
        arguments: [
            ("postgresql://carnet@db.example/carnet", "verify-full"),
            ("postgresql://carnet@10.0.0.1/carnet", "verify-full"),
            ("postgresql://carnet@localhost,db.example/carnet", "verify-full"),
            ("postgresql://carnet@localhost/carnet?hostaddr=10.0.0.1", "verify-full"),
            ("postgresql://carnet@db.example/carnet?sslmode=require", nil),
            ("postgresql://carnet@127.0.0.1/carnet", nil),
            ("postgresql:///carnet", nil), ("postgresql:///carnet?host=/run/postgresql", nil),
        ])
    func transport(_ text: String, _ mode: String?) throws {
        #expect(try PostgreSQLAddress(parsing: text).defaultSSLMode == mode)
    }

    @Test("Requirements name what is wrong")
    func requirements() {
        #expect(PostgreSQLRequirements.complaint(version: 14_00_12)?.contains("14") == true)
        #expect(PostgreSQLRequirements.complaint(version: 15_00_00) == nil)
        let good = PostgreSQLRequirements.complaint(
            encoding: "UTF8", synchronousCommit: "on", fsync: "on", ordersByBytes: true)
        #expect(good == nil)
        for (encoding, commits, syncs, ordered) in [
            ("LATIN1", "on", "on", true), ("UTF8", "off", "on", true), ("UTF8", "on", "off", true),
            ("UTF8", "on", "on", false),
        ] {
            #expect(
                PostgreSQLRequirements.complaint(
                    encoding: encoding, synchronousCommit: commits, fsync: syncs, ordersByBytes: ordered) != nil)
        }
    }
}
