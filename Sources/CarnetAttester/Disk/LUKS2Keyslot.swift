internal import StrictEncoding

/// A keyslot of a LUKS2 header, which holds the volume's key under another.
enum LUKS2Keyslot {
    /// Requires that a keyslot is one that encrypts what it holds.
    ///
    /// - Returns: Where it lies in the volume, in bytes.
    static func area(_ node: JSONNode, _ place: String, within bounds: Range<Int>) throws(LUKS2Error) -> Range<Int> {
        let type = node["type"]?.string ?? "?"
        guard type == "luks2" else {
            throw .refused(
                "\(place) is of the type \(type.prefix(40).debugDescription): a reencryption is in flight, or it is unknown"
            )
        }
        try LUKS2Rules.requireMembers(
            node, ["type", "key_size", "af", "area", "kdf"], optional: ["priority"], place)
        try LUKS2Rules.requireKeySize(node["key_size"], place)
        if let priority = node["priority"] {
            try LUKS2Rules.requireInteger(priority, in: 0...2, "the priority of \(place)")
        }
        try splitter(node["af"], place)
        try derivation(node["kdf"], place)
        guard let area = node["area"] else { throw .damaged("\(place) has no area") }
        guard area["type"]?.isString(equalTo: "raw") == true else { throw .refused("the area of \(place) is not raw") }
        try LUKS2Rules.requireCipher(area["encryption"], "the area of \(place)")
        try LUKS2Rules.requireMembers(
            area, ["type", "offset", "size", "encryption", "key_size"], "the area of \(place)")
        try LUKS2Rules.requireKeySize(area["key_size"], "the area of \(place)")
        let offset = try LUKS2Rules.number(area["offset"], "the offset of \(place)")
        let size = try LUKS2Rules.number(area["size"], "the size of \(place)")
        guard size > 0, bounds.contains(offset), size <= bounds.upperBound - offset else {
            throw .damaged("\(place) does not lie among the keyslots")
        }
        return offset..<(offset + size)
    }

    private static func splitter(_ node: JSONNode?, _ place: String) throws(LUKS2Error) {
        guard let node else { throw .damaged("\(place) has no splitter") }
        try LUKS2Rules.requireMembers(node, ["type", "stripes", "hash"], "the splitter of \(place)")
        guard node["type"]?.isString(equalTo: "luks1") == true, node["stripes"]?.integer == 4000 else {
            throw .refused("the splitter of \(place) is not LUKS's with 4000 stripes")
        }
        try LUKS2Rules.requireHash(node["hash"], "the splitter of \(place)")
    }

    private static func derivation(_ node: JSONNode?, _ place: String) throws(LUKS2Error) {
        guard let node else { throw .damaged("\(place) has no key derivation") }
        let kdf = "the key derivation of \(place)"
        switch node["type"]?.string {
        case "pbkdf2":
            try LUKS2Rules.requireMembers(node, ["type", "salt", "hash", "iterations"], kdf)
            try LUKS2Rules.requireHash(node["hash"], kdf)
            try LUKS2Rules.requireInteger(
                node["iterations"], in: 1000...Int64(UInt32.max), "the iterations of \(place)")
        case "argon2i", "argon2id":
            try LUKS2Rules.requireMembers(node, ["type", "salt", "time", "memory", "cpus"], kdf)
            try LUKS2Rules.requireInteger(node["time"], in: 1...Int64(UInt32.max), "the time of \(place)")
            // In KiB: what cryptsetup allows, 4 GiB.
            try LUKS2Rules.requireInteger(node["memory"], in: 32...(4 << 20), "the memory of \(place)")
            try LUKS2Rules.requireInteger(node["cpus"], in: 1...4, "the threads of \(place)")
        default: throw .refused("\(kdf) is neither PBKDF2 nor Argon2")
        }
        guard node["salt"]?.isString == true else { throw .damaged("\(kdf) has no salt") }
    }
}
