import CarnetRelyingParty

/// A program that needs the SDK and nothing else; `linkage.sh` looks at what that made it link.
@main
struct Probe {
    static func main() {
        let expectations = Expectations(issuer: "https://verifier.example", audience: "https://service.example")
        do {
            _ = try PassportVerifier(keySet: [], expectations: expectations)
        } catch {
            print("An empty key set is refused: \(error)")
        }
    }
}
