import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import CarnetAppraisal
import StrictEncoding
import Testing

@Suite("Reference sets")
struct ReferenceSetTests {
    private func good() throws -> ReferenceSet {
        var components = try ReferenceComponent.Class.allCases.map {
            try Sample.component($0, name: $0 == .section ? ".linux" : "one of \($0.rawValue)")
        }
        components.append(
            try Sample.component(
                .driver, 2, name: "a \"quoted\" \\ name", from: "2026-12-01T00:00:00Z", until: "2027-01-01T00:00:00Z"))
        components.append(try #require(ReferenceComponent(.file, Sample.digest(3, .sha384), name: "three")))
        let files = [try Sample.file("/usr/bin/true"), try Sample.file("/usr/bin/true", 2), try Sample.file("/é/\n")]
        return try ReferenceSet(name: "debian-13", description: "Grüße", components: components, files: files)
    }

    @Test("What is written is read, and written again it is the same bytes, whatever the order was")
    func roundTrip() throws {
        let set = try good(), bytes = try set.bytes()
        let read = try ReferenceFormat.json.parse(bytes)
        #expect(read == set && read.components == set.components && read.files == set.files)
        #expect(try ReferenceFormat.json.write(read) == bytes)
        let turned = try ReferenceSet(
            name: set.name, description: set.description, components: set.components.reversed(),
            files: set.files.reversed())
        #expect(try turned.bytes() == bytes && turned.digest() == HashAlgorithm.sha256.hash(bytes))
        // White space and order are free in reading.
        let pretty = try JSONSerialization.data(
            withJSONObject: JSONSerialization.jsonObject(with: Data(bytes)), options: [.prettyPrinted, .sortedKeys])
        #expect(try ReferenceSet(parsing: [UInt8](pretty)).bytes() == bytes)
    }

    @Test("The smallest document, and exactly these bytes")
    func bytes() throws {
        let small = try ReferenceSet(parsing: Array(#"{"version":1,"name":"a"}"#.utf8))
        #expect(
            String(decoding: try small.bytes(), as: UTF8.self)
                == #"{"version":1,"name":"a","description":"","components":[],"files":[]}"#)
        let window = try Sample.component(name: "x", from: "2026-12-01T00:00:00Z")
        let set = try ReferenceSet(name: "a", components: [window], files: [Sample.file("/a")])
        let digest = "sha256:" + HashAlgorithm.sha256.hash([0x31]).hex
        #expect(
            String(decoding: try set.bytes(), as: UTF8.self)
                == #"{"version":1,"name":"a","description":"","components":[{"class":"application","digest":"\#(digest)","#
                + #""name":"x","from":"2026-12-01T00:00:00Z"}],"files":[{"path":"/a","digest":"\#(digest)"}]}"#)
    }

    @Test("Components are by class, name and digest; the window is not what makes one another")
    func doubles() throws {
        let one = try Sample.component(), other = try Sample.component(until: "2027-01-01T00:00:00Z")
        #expect(throws: ReferenceSetError.self) { try ReferenceSet(name: "a", components: [one, one]) }
        #expect(throws: ReferenceSetError.self) { try ReferenceSet(name: "a", components: [one, other]) }
        #expect(throws: ReferenceSetError.self) {
            try ReferenceSet(name: "a", files: [Sample.file("/a"), Sample.file("/b"), Sample.file("/a")])
        }
        let others = try [Sample.component(.driver), Sample.component(name: "2"), Sample.component(.application, 2)]
        #expect(try ReferenceSet(name: "a", components: others + [one]).components.count == 4)
    }

    @Test("Merging takes the union and the newer window; name and description stay")
    func merge() throws {
        let old = try ReferenceSet(
            name: "a", description: "x", components: [Sample.component(), Sample.component(.driver)],
            files: [Sample.file("/a"), Sample.file("/b")])
        let new = try ReferenceSet(
            name: "b", components: [Sample.component(until: "2027-01-01T00:00:00Z"), Sample.component(.kernel)],
            files: [Sample.file("/b"), Sample.file("/b", 2)])
        let both = try old.merging(new)
        #expect(both.name == "a" && both.description == "x" && both.components.count == 3 && both.files.count == 3)
        #expect(
            both.components.first { $0.type == .application }?.window.until.map(RFC3339.format)
                == "2027-01-01T00:00:00Z")
        #expect(try both.merging(new) == both && old.merging(old) == old)
        let none = try ReferenceSet(name: "a", description: "x")
        #expect(try none.merging(old) == old && old.merging(none) == old)
    }

    @Test("A difference has what only one of both has; another window is both")
    func difference() throws {
        let old = try ReferenceSet(
            name: "a", components: [Sample.component(), Sample.component(.driver)],
            files: [Sample.file("/a"), Sample.file("/b"), Sample.file("/d")])
        let new = try ReferenceSet(
            name: "b", components: [Sample.component(until: "2027-01-01T00:00:00Z"), Sample.component(.driver)],
            files: [Sample.file("/b"), Sample.file("/b", 2), Sample.file("/e")])
        let difference = ReferenceDifference(from: old, to: new)
        #expect(difference.addedComponents.map { $0.window.until.map(RFC3339.format) } == ["2027-01-01T00:00:00Z"])
        #expect(difference.removedComponents == [try Sample.component()] && !difference.isEmpty)
        #expect(Set(difference.removedFiles) == [try Sample.file("/a"), try Sample.file("/d")])
        #expect(Set(difference.addedFiles) == [try Sample.file("/b", 2), try Sample.file("/e")])
        #expect(ReferenceDifference(from: old, to: old).isEmpty)
        let back = ReferenceDifference(from: new, to: old)
        #expect(back.addedFiles == difference.removedFiles && back.removedComponents == difference.addedComponents)
    }

    @Test("Only what is in force is found by class")
    func classes() throws {
        let set = try good()
        #expect(set.components(.driver, inForceAt: 0).map(\.name) == ["one of driver"])
        #expect(set.components(.driver, inForceAt: 1_796_083_200).count == 2)
    }

    @Test("A file's digest is one that IMA's lists have")
    func ima() throws {
        let file = try Sample.file("/usr/bin/true"), digest = try #require(file.digest.imaDigest)
        #expect(digest.description == file.digest.description)
        #expect(try Sample.digest(1, .sha512).imaDigest?.algorithm == .sha512)
        _ = try IMAAllowList(paths: [(path: file.path, digest: digest)])
    }
}
