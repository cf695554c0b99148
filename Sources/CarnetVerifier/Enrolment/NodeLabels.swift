import CarnetRecords
import CarnetAppraisal
import CarnetStorage
import StrictEncoding

/// Labels of a machine: names and values, each of 1 to 63 letters, digits, dots, dashes, underscores and slashes; at most 32.
package struct NodeLabels: Sendable, Hashable {
    /// The values by name.
    package let values: [String: String]

    /// No labels.
    package static let none = NodeLabels(unchecked: [:])

    private init(unchecked values: [String: String]) { self.values = values }

    /// Labels that an operator gives; `nil` when one of them cannot be a label.
    package init?(_ values: [String: String]) {
        guard values.count <= 32, values.allSatisfy({ NodeSelector.isLabel($0.key) && NodeSelector.isLabel($0.value) })
        else { return nil }
        self.values = values
    }

    init(stored text: String) throws(StorageError) {
        guard let root = try? JSONDocument(parsing: Array(text.utf8), maximumByteCount: 16_384, maximumDepth: 2).root,
            let members = root.members
        else { throw StorageError(.unexpectedValue, "a node's labels cannot be read") }
        var values: [String: String] = [:]
        for (name, value) in members { values[name] = value.string }
        self.values = values
    }

    /// As they are stored, sorted by name.
    var stored: String {
        let bytes = JSONWriter.object { writer in
            for (name, value) in values.sorted(by: { $0.key < $1.key }) { writer.string(named: name, value) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
