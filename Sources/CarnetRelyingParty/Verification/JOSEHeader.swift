internal import StrictEncoding

/// What headers of passports and proofs have in common.
enum JOSEHeader {
    static func parse(_ segment: ArraySlice<UInt8>, nextStep: String) throws(Refusal) -> JSONNode {
        guard let bytes = Base64URL.decode(segment) else {
            throw Refusal(.malformed, "The header is not base64url in its one spelling", nextStep: nextStep)
        }
        do {
            let root = try JSONDocument(parsing: bytes, maximumByteCount: 4096, maximumDepth: 4).root
            guard root.isObject else { throw Refusal(.header, "The header is not an object", nextStep: nextStep) }
            return root
        } catch let error as JSONError {
            let code: Refusal.Code = error.code == .duplicateMember ? .duplicateMember : .header
            throw Refusal(code, "The header is not JSON that can be read in one way: \(error)", nextStep: nextStep)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(.header, "The header cannot be read", nextStep: nextStep)
        }
    }

    /// Compares `typ` as a media type: case-insensitive, with `application/` understood (RFC 7515 §4.1.9).
    static func requireType(
        _ types: Set<String>, _ root: JSONNode, _ code: Refusal.Code, nextStep: String
    ) throws(Refusal) {
        let found = root["typ"]?.string?.lowercased()
        guard let found, types.contains(where: { found == $0 || found == "application/" + $0 }) else {
            let names = types.sorted().joined(separator: " or ")
            throw Refusal(code, "The header's typ is not \(names)", nextStep: nextStep)
        }
    }
}
