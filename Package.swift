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
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
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

        // The vocabulary that verifier and relying party share, and the SDK: libcrypto and libjansson, nothing else.
        .target(name: "CarnetResult", dependencies: ["Cryptography", "StrictEncoding"], swiftSettings: settings),
        .target(
            name: "CarnetRelyingParty", dependencies: ["CarnetResult", "Cryptography", "StrictEncoding"],
            swiftSettings: settings),

        // What runs on the machine that is attested: its TPM, the evidence, and the calls to a verifier.
        .target(
            name: "CarnetAttester",
            dependencies: [
                "CTSS2", "TPM2", "CarnetResult", "Cryptography", "StrictEncoding",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings),

        // A product: what relying parties and our own tests need to try everything that can go wrong.
        .target(
            name: "CarnetTesting",
            dependencies: ["CarnetResult", "Cryptography", "MeasurementLogs", "StrictEncoding", "TPM2"],
            swiftSettings: settings),

        // Programs: thin mains.
        .executableTarget(
            name: "carnet-agent",
            dependencies: [
                "CarnetAttester", "CarnetResult", "Cryptography", "StrictEncoding", "TPM2",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
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
        .testTarget(
            name: "CarnetAttesterTests",
            dependencies: [
                "CarnetAttester", "CarnetResult", "CarnetTesting", "Cryptography", "StrictEncoding", "TPM2", "Fixtures",
            ],
            swiftSettings: settings),
        .testTarget(name: "StrictEncodingTests", dependencies: ["StrictEncoding"], swiftSettings: settings),
    ]
)
