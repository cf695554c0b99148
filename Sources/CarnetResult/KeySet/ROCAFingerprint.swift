/// Finds RSA keys of a library that made primes of the form k·M + (65537^a mod M), whose factors can be computed (CVE-2017-15361, "The
/// Return of Coppersmith's Attack", Nemec et al., 2017, §3.2).
///
/// Such a modulus is a power of 65537 modulo every small prime that divides M. Another modulus is that by chance once in 2^27 or less.
enum ROCAFingerprint {
    /// Whether a big-endian modulus has the fingerprint.
    static func matches(_ modulus: [UInt8]) -> Bool {
        powers.allSatisfy { prime, isPower in
            isPower[modulus.reduce(0) { ($0 << 8 | Int($1)) % prime }]
        }
    }

    /// Each prime from 3 to 167, which all divide M, with whether a remainder is a power of 65537.
    private static let powers: [(prime: Int, isPower: [Bool])] = {
        var powers: [(prime: Int, isPower: [Bool])] = []
        for prime in 3...167 where (2..<prime).allSatisfy({ prime % $0 != 0 }) {
            var isPower = [Bool](repeating: false, count: prime)
            var power = 1
            while !isPower[power] {
                isPower[power] = true
                power = power * 65_537 % prime
            }
            powers.append((prime, isPower))
        }
        return powers
    }()
}
