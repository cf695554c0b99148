/// For how long an answer may be kept (RFC 9111 §5.2.2): `max-age` in seconds; 0 for `no-store` and `no-cache`; `nil` when it does not say.
enum CacheControl {
    static func maximumAge(_ fields: [String]) -> Int64? {
        var found: Int64?
        for directive in fields.joined(separator: ",").prefix(4096).split(separator: ",") {
            let parts = directive.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\t" } }
            switch parts.first?.lowercased() {
            case "no-store", "no-cache": return 0
            case "max-age":
                let digits = parts.count == 2 ? parts[1].filter { $0 != "\"" } : ""
                guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return 0 }
                // RFC 9111 §1.2.2: more than fits counts as much. Of two, the shorter.
                let value = Int64(digits) ?? .max
                found = min(found ?? value, value)
            default: continue
            }
        }
        return found
    }
}
