import CarnetRecords
import CarnetService

/// The names that operators give to machines.
enum NodeName {
    /// Checks a name: 1 to 128 letters, digits, dots, hyphens and underscores of ASCII, the first a letter or digit. A name
    /// of the form of an identifier is refused, so that one machine's name is never another one's identifier.
    static func check(_ name: String, member: String) throws(Problem) {
        let characters = Array(name.utf8)
        let isGood =
            (1...128).contains(characters.count) && isLetterOrDigit(characters[0])
            && characters.allSatisfy { isLetterOrDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) }
        guard isGood, !NodeIdentifier.isOne(name) else {
            throw .malformed(
                "A node's name has 1 to 128 letters, digits, '.', '-' and '_', begins with a letter or digit, and is no UUID.",
                member: member)
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
