import ArgumentParser
import CarnetRelyingParty

/// What is taken of older and other verifiers.
struct OlderPassportOptions: ParsableArguments {
    @Option(help: "The URI of an older profile that is accepted beside today's; repeat for several.")
    var profile: [String] = []

    @Option(help: "A type of the header that is accepted beside eat+jwt, as jwt; repeat for several.")
    var headerType: [String] = []

    @Option(
        help:
            "A claim that may be missing, as jti, sub or kid; repeat for several. What is there is checked all the same."
    )
    var tolerateAbsent: [String] = []

    @Option(help: "The submodule that must be there; repeat for several. By default tpm.")
    var submodule: [String] = []

    func apply(to expectations: inout Expectations) throws {
        for uri in profile {
            guard let known = EARProfile.known.first(where: { $0.uri == uri }) else {
                let names = EARProfile.known.map(\.uri).joined(separator: ", ")
                throw ValidationError("\(uri) is no profile that can be read. Those are: \(names).")
            }
            expectations.profiles.insert(known)
        }
        for type in headerType { expectations.headerTypes.insert(type.lowercased()) }
        for name in tolerateAbsent {
            guard let claim = OmissibleClaim(rawValue: name) else {
                let names = OmissibleClaim.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("\(name) may not be missing. These may: \(names).")
            }
            expectations.toleratedAbsences.insert(claim)
        }
        if !submodule.isEmpty { expectations.requiredSubmodules = Set(submodule) }
    }
}
