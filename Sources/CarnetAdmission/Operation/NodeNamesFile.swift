package import CarnetService
import Foundation
package import NodeAdmission
import PolicyDocument

/// The file in which an operator says which machine is which node: one mapping `names`, from nodes' names to enrolments.
///
///     names:
///       node-17: urn:carnet:node:3f1c…
package enum NodeNamesFile {
    /// The longest file, in bytes.
    package static let maximumByteCount = 4 << 20

    /// Reads a file.
    package static func read(_ path: String) throws(ServiceStartError) -> NodeNames {
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: maximumByteCount + 1), data.count <= maximumByteCount
        else { throw .unreadable(path, "it cannot be read, is empty, or has more than \(maximumByteCount) bytes") }
        do { return try NodeNames(subjects: subjects(in: String(decoding: data, as: UTF8.self))) } catch {
            throw .unreadable(path, "\(error)")
        }
    }
}

extension NodeNamesFile {
    /// Enrolments by the names of nodes.
    fileprivate static func subjects(in text: String) throws(PolicyError) -> [String: String] {
        var root = try MappingReader(PolicyDocument.compose(text), path: "")
        var names = try root.mapping("names")
        try root.end()
        var subjects: [String: String] = [:], nodes: [String: String] = [:]
        for node in names.names {
            let subject = try names.text(node)
            guard NodeName.isValid(node) else { throw names.error(node, "is not a node's name") }
            guard !subject.isEmpty, subject.utf8.count <= 256 else {
                throw names.error(node, "is no enrolment, such as urn:carnet:node:11111111-2222-3333-4444-555555555555")
            }
            guard nodes.updateValue(node, forKey: subject) == nil else {
                throw names.error(node, "is a machine that another node is already")
            }
            subjects[node] = subject
        }
        return subjects
    }
}
