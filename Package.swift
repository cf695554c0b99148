// swift-tools-version: 6.1
import PackageDescription

/// One list of settings for every target: imports say what a file exposes, existentials say that they are.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "carnet",
    products: [],
    dependencies: [
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2")
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .systemLibrary(name: "CTSS2", pkgConfig: "tss2-esys", providers: [.apt(["libtss2-dev"])]),

        // Typed values over the system libraries. They know nothing of Carnet.
        .target(name: "Cryptography", dependencies: ["COpenSSL"], swiftSettings: settings),
        .target(name: "StrictEncoding", dependencies: ["CJansson"], swiftSettings: settings),
        .target(name: "TPM2", dependencies: ["Cryptography"], swiftSettings: settings),
        .target(name: "MeasurementLogs", dependencies: ["TPM2", "Cryptography"], swiftSettings: settings),

        // What an attester says, and what it is worth. No I/O; time is an argument.
        .target(
            name: "CarnetEvidence", dependencies: ["TPM2", "Cryptography", "StrictEncoding"], swiftSettings: settings),
        .target(
            name: "CarnetAppraisal",
            dependencies: [
                "CarnetEvidence", "CarnetResult", "MeasurementLogs", "TPM2", "Cryptography", "StrictEncoding", "Yams",
            ], swiftSettings: settings),

        // The vocabulary that verifier and relying party share, and the SDK: libcrypto and libjansson, nothing else.
        .target(name: "CarnetResult", dependencies: ["Cryptography", "StrictEncoding"], swiftSettings: settings),
        .target(
            name: "CarnetRelyingParty", dependencies: ["CarnetResult", "Cryptography", "StrictEncoding"],
            swiftSettings: settings),

        // A product: what relying parties and our own tests need to try everything that can go wrong.
        .target(
            name: "CarnetTesting", dependencies: ["CarnetResult", "Cryptography", "StrictEncoding"],
            swiftSettings: settings),

        // Tests mirror the targets.
        .target(name: "Fixtures", path: "Tests/Fixtures", swiftSettings: settings),
        .testTarget(name: "CryptographyTests", dependencies: ["Cryptography"], swiftSettings: settings),
        .testTarget(name: "TPM2Tests", dependencies: ["TPM2", "Cryptography", "Fixtures"], swiftSettings: settings),
        .testTarget(
            name: "MeasurementLogsTests", dependencies: ["MeasurementLogs", "TPM2", "Cryptography", "Fixtures"],
            swiftSettings: settings),
        .testTarget(
            name: "CarnetResultTests",
            dependencies: ["CarnetResult", "CarnetTesting", "Cryptography", "StrictEncoding", "Fixtures"],
            swiftSettings: settings),
        .testTarget(
            name: "CarnetRelyingPartyTests",
            dependencies: [
                "CarnetRelyingParty", "CarnetResult", "CarnetTesting", "Cryptography", "StrictEncoding", "Fixtures",
            ],
            swiftSettings: settings),
        .testTarget(name: "StrictEncodingTests", dependencies: ["StrictEncoding"], swiftSettings: settings),

        // Evidence that no TPM would sign, and what is made of it.
        .target(
            name: "EvidenceForge",
            dependencies: ["CarnetEvidence", "MeasurementLogs", "TPM2", "Cryptography", "Fixtures"],
            path: "Tests/EvidenceForge", swiftSettings: settings),
        .testTarget(
            name: "CarnetEvidenceTests",
            dependencies: [
                "CarnetEvidence", "EvidenceForge", "MeasurementLogs", "TPM2", "Cryptography", "StrictEncoding",
                "Fixtures",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "CarnetAppraisalTests",
            dependencies: [
                "CarnetAppraisal", "CarnetEvidence", "CarnetResult", "EvidenceForge", "MeasurementLogs", "TPM2",
                "Cryptography", "StrictEncoding", "Fixtures",
            ],
            swiftSettings: settings),
    ]
)
