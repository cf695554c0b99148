/// The rules that metrics name. Another one counts as `other`: a label never takes what evidence or a policy says.
enum FindingRules {
    /// The names.
    static let known: Set<String> = [
        "ak-algorithm", "ak-attributes", "attestation-key", "attestation-key-hierarchy", "attestation-type",
        "boot-counters", "bound-key", "component-unknown", "component-window", "ek-template", "enrolled-keys",
        "event-data", "event-log-bank", "event-log-missing", "event-log-unreadable", "event-type", "firmware-debug",
        "firmware-error", "firmware-version", "ima-boot-aggregate", "ima-continuity", "ima-digest", "ima-entry",
        "ima-list-missing", "ima-list-replay", "ima-list-unreadable", "ima-more", "ima-signature", "ima-unknown",
        "ima-violation", "kept-evidence", "key-attestation", "key-encryption", "no-policy", "node-changed",
        "node-not-approved", "nonce", "pcr-bank", "pcr-digest", "pcr-not-measured", "pcr-not-quoted", "pcr-selection",
        "pcr-unexplained", "pcr-value", "quote-signature", "reference-missing", "runtime-log-missing",
        "runtime-log-unreadable", "secure-boot", "unknown-attestation-key",
    ]
}
