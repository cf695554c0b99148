// swift-tools-version: 6.1
import PackageDescription

/// One list of settings for every target: imports say what a file exposes, existentials say that they are.
let features: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// `make fuzz` instruments every target for libFuzzer and AddressSanitizer; nothing else does.
let fuzzes = Context.environment["CARNET_FUZZ"] == "1"
let instrumentation = ["-sanitize=fuzzer,address"]
let settings = features + (fuzzes ? [.unsafeFlags(instrumentation)] : [])
let fuzzer: [Target] =
    fuzzes
    ? [
        .executableTarget(
            name: "carnet-fuzzer",
            dependencies: [
                "CarnetAdmission", "CarnetAppraisal", "CarnetAttester", "CarnetEvidence", "CarnetRelyingParty",
                "CarnetResult", "CarnetService", "CarnetTrustRefresh",
                "Cryptography", "Fixtures", "KubernetesAPI", "MeasurementLogs", "NodeAdmission", "ReferenceValues",
                "StrictEncoding", "TPM2",
            ], path: "Tests/Fuzzing/Fuzzer", swiftSettings: settings,
            linkerSettings: [.unsafeFlags(instrumentation)])
    ] : []

let package = Package(
    name: "carnet",
    products: [
        .library(name: "CarnetRelyingParty", targets: ["CarnetRelyingParty", "CarnetResult"]),
        .library(name: "CarnetTLS", targets: ["CarnetTLS"]),
        .library(name: "CarnetSealing", targets: ["CarnetSealing"]),
        .library(name: "CarnetTrustRefresh", targets: ["CarnetTrustRefresh"]),
        .library(name: "CarnetAttester", targets: ["CarnetAttester"]),
        .library(name: "CarnetAppraisal", targets: ["CarnetAppraisal", "CarnetEvidence", "MeasurementLogs", "TPM2"]),
        .library(name: "CarnetTesting", targets: ["CarnetTesting"]),
        .library(name: "NodeAdmission", targets: ["NodeAdmission"]),
        .library(name: "Cryptography", targets: ["Cryptography", "StrictEncoding"]),
        .executable(name: "carnet", targets: ["carnet"]),
        .executable(name: "carnet-admission", targets: ["carnet-admission"]),
        .executable(name: "carnet-agent", targets: ["carnet-agent"]),
        .executable(name: "carnet-broker", targets: ["carnet-broker"]),
        .executable(name: "carnet-verifier", targets: ["carnet-verifier"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CTSS2", pkgConfig: "tss2-esys", providers: [.apt(["libtss2-dev"])]),

        // Typed values over the system libraries. They know nothing of Carnet.
        .target(name: "Cryptography", dependencies: ["COpenSSL"], swiftSettings: settings),
        .target(name: "StrictEncoding", dependencies: ["CJansson"], swiftSettings: settings),
        .target(name: "TPM2", dependencies: ["Cryptography"], swiftSettings: settings),
        .target(
            name: "MeasurementLogs", dependencies: ["TPM2", "Cryptography", "StrictEncoding"], swiftSettings: settings),

        // What an attester says, and what it is worth. No I/O; time is an argument.
        .target(
            name: "CarnetEvidence", dependencies: ["MeasurementLogs", "TPM2", "Cryptography", "StrictEncoding"],
            swiftSettings: settings),
        .target(name: "PolicyDocument", dependencies: ["Yams"], swiftSettings: settings),
        .target(
            name: "CarnetAppraisal",
            dependencies: [
                "CarnetEvidence", "CarnetResult", "MeasurementLogs", "PolicyDocument", "TPM2", "Cryptography",
                "StrictEncoding", "Yams",
            ], swiftSettings: settings),

        // Where reference values come from: images, packages, and predictions of the next boot.
        .target(
            name: "ReferenceValues",
            dependencies: ["CarnetAppraisal", "MeasurementLogs", "TPM2", "Cryptography", "StrictEncoding"],
            swiftSettings: settings),

        // The vocabulary that verifier and relying party share, and the SDK: libcrypto, libjansson and libz, nothing else.
        .target(
            name: "CarnetResult", dependencies: ["CZlib", "Cryptography", "StrictEncoding"], swiftSettings: settings),
        .target(
            name: "CarnetRelyingParty", dependencies: ["CarnetResult", "Cryptography", "StrictEncoding"],
            swiftSettings: settings),

        // Which requests for nodes' certificates may be signed, and how nodes stand. No I/O; time is an argument.
        .target(
            name: "NodeAdmission",
            dependencies: ["CarnetRelyingParty", "CarnetResult", "Cryptography", "StrictEncoding"],
            swiftSettings: settings),

        // The ledger's form outside of a database: entries, checkpoints, audit. No I/O.
        .target(
            name: "CarnetLedger", dependencies: ["CarnetResult", "Cryptography", "StrictEncoding"],
            swiftSettings: settings),

        // The form of a granted secret that takes TPM structures; still no TSS.
        .target(
            name: "CarnetSealing", dependencies: ["CarnetRelyingParty", "CarnetResult", "Cryptography", "TPM2"],
            swiftSettings: settings),

        // The passport's key as a TLS client's key, for servers on SwiftNIO.
        .target(
            name: "CarnetTLS",
            dependencies: [
                "CarnetRelyingParty", "CarnetResult", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOTLS", package: "swift-nio"),
            ], swiftSettings: settings),

        // Keys, lists and bundles kept up to date, for relying parties that have network.
        .target(
            name: "CarnetTrustRefresh",
            dependencies: [
                "CarnetRelyingParty", "CarnetResult", "StrictEncoding",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: settings),

        // The Kubernetes gate: a client of the API, and what stands on it.
        .target(
            name: "KubernetesAPI",
            dependencies: [
                "StrictEncoding", "Yams", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: settings),

        // What every program does in the same way: exit statuses, files, output.
        .target(
            name: "CarnetCommandLine",
            dependencies: [
                "Cryptography", "StrictEncoding", "Yams",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings),

        // A client of Carnet's services: HTTPS, and their problem documents made readable.
        .target(
            name: "CarnetClient",
            dependencies: [
                "StrictEncoding", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: settings),

        // The attester: the TPM through tpm2-tss.
        .target(
            name: "CarnetAttester",
            dependencies: [
                "CarnetClient", "CTSS2", "TPM2", "CarnetEvidence", "CarnetResult", "Cryptography", "StrictEncoding",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: settings),
        .executableTarget(
            name: "carnet-agent",
            dependencies: [
                "CarnetAgent", "CarnetAttester", "CarnetClient", "CarnetCommandLine", "CarnetEvidence",
                "CarnetKubelet", "CarnetResult", "CarnetService", "Cryptography", "KubernetesAPI", "NodeAdmission",
                "StrictEncoding", "TPM2",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: settings),

        // Trust anchors from files, and the operators' and relying parties' program.
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .target(
            name: "TrustAnchorImport", dependencies: ["CArchive", "Cryptography", "StrictEncoding"],
            swiftSettings: settings),
        .executableTarget(
            name: "carnet",
            dependencies: [
                "CarnetAppraisal", "CarnetAttester", "CarnetClient", "CarnetCommandLine", "CarnetEvidence",
                "CarnetLedger", "KubernetesAPI",
                "CarnetRelyingParty", "CarnetResult", "CarnetSealing", "Cryptography", "MeasurementLogs",
                "NodeAdmission", "PolicyDocument",
                "ReferenceValues", "StrictEncoding", "TPM2", "TrustAnchorImport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings),
        .executableTarget(
            name: "sdk-linkage-probe", dependencies: ["CarnetRelyingParty"], path: "Tests/Linkage/Probe",
            swiftSettings: settings),
        .executableTarget(
            name: "fuzz-seeds",
            dependencies: [
                "CarnetAttester", "CarnetTesting", "CarnetEvidence", "CarnetResult", "Cryptography", "MeasurementLogs",
                "StrictEncoding", "TPM2",
            ],
            path: "Tests/Fuzzing/SeedMaker", swiftSettings: settings),
        .executableTarget(
            name: "demo-machine",
            dependencies: [
                "CarnetTesting", "MeasurementLogs", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tests/Demo/Machine", swiftSettings: settings),

        .executableTarget(
            name: "carnet-bench-service",
            dependencies: [
                "BrokerHarness", "CarnetAppraisal", "CarnetAttester", "CarnetBroker", "CarnetCommandLine",
                "CarnetEvidence", "CarnetRecords", "CarnetRelyingParty", "CarnetResult", "CarnetService",
                "CarnetStorage", "CarnetTesting", "CarnetVerifier", "Cryptography", "Fixtures", "KubernetesHarness",
                "MeasurementLogs",
                "NodeAdmission", "ServiceHarness", "StrictEncoding", "TPM2", "VerifierHarness",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ], path: "Tests/ServiceBenchmark", exclude: ["bench.sh"], swiftSettings: settings),

        // A product: what relying parties and our own tests need to try everything that can go wrong.
        .target(
            name: "CarnetTesting",
            dependencies: [
                "CarnetAttester", "CarnetEvidence", "CarnetResult", "MeasurementLogs", "TPM2", "Cryptography",
                "StrictEncoding",
            ], swiftSettings: settings),

        // What every service stands on, and the place where it keeps its state.
        .target(
            name: "CarnetStorage",
            dependencies: ["CLibPQ", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: settings),
        .target(
            name: "CarnetService",
            dependencies: [
                "Cryptography", "StrictEncoding",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        // What every service keeps in its database: API tokens, keys under a key-encryption key, the ledger.
        .target(
            name: "CarnetRecords",
            dependencies: [
                "CarnetLedger", "CarnetResult", "CarnetService", "CarnetStorage", "Cryptography", "StrictEncoding",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        // The agent's daemon: what local programs get from it, and who may ask.
        .target(
            name: "CarnetAgent",
            dependencies: [
                "CarnetAttester", "CarnetClient", "CarnetEvidence", "CarnetResult", "CarnetService", "StrictEncoding",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: settings),
        // A Kubernetes node's credentials, asked for by attestation.
        .target(
            name: "CarnetKubelet",
            dependencies: [
                "CarnetAttester", "CarnetClient", "CarnetEvidence", "CarnetResult", "Cryptography", "KubernetesAPI",
                "NodeAdmission", "StrictEncoding",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .target(
            name: "CarnetVerifier",
            dependencies: [
                "Cryptography", "StrictEncoding", "TPM2", "CarnetEvidence", "CarnetAppraisal", "CarnetLedger",
                "CarnetRecords", "CarnetResult", "CarnetStorage", "CarnetService", "MeasurementLogs",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),

        // The key broker: a relying service.
        .target(
            name: "CarnetBroker",
            dependencies: [
                "CarnetClient", "CarnetLedger", "CarnetRecords", "CarnetRelyingParty", "CarnetRelyingService",
                "CarnetResult",
                "CarnetSealing", "CarnetService",
                "CarnetStorage", "CarnetTrustRefresh", "Cryptography", "PolicyDocument", "StrictEncoding",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),

        // What every relying service has: whom it believes, kept up to date.
        .target(
            name: "CarnetRelyingService",
            dependencies: [
                "CarnetRelyingParty", "CarnetResult", "CarnetService", "CarnetTrustRefresh", "StrictEncoding",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),
        // The settings of every program that believes a verifier's passports.
        .target(
            name: "CarnetRelyingOptions",
            dependencies: [
                "CarnetRelyingService", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings),

        // The settings of every program that listens, whether it keeps anything or not.
        .target(
            name: "CarnetServeOptions",
            dependencies: [
                "CarnetCommandLine", "CarnetService",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: settings),

        // The Kubernetes gate. No database: what it knows is in the cluster, and at the verifier.
        .target(
            name: "CarnetAdmission",
            dependencies: [
                "CarnetRelyingParty", "CarnetRelyingService", "CarnetResult", "CarnetService", "CarnetTrustRefresh",
                "Cryptography", "KubernetesAPI", "NodeAdmission", "PolicyDocument", "StrictEncoding",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: settings),

        .executableTarget(
            name: "carnet-admission",
            dependencies: [
                "CarnetAdmission", "CarnetCommandLine", "CarnetRelyingOptions", "CarnetResult", "CarnetServeOptions",
                "CarnetService", "KubernetesAPI", "NodeAdmission",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),

        // What the programs of services have in common, and those programs: thin mains.
        .target(
            name: "CarnetServiceCommand",
            dependencies: [
                "CarnetCommandLine", "CarnetLedger", "CarnetRecords", "CarnetServeOptions", "CarnetService",
                "CarnetStorage", "StrictEncoding",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "carnet-verifier",
            dependencies: [
                "CarnetCommandLine", "CarnetRecords", "CarnetServeOptions", "CarnetService", "CarnetServiceCommand",
                "CarnetStorage", "CarnetVerifier",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),

        .executableTarget(
            name: "carnet-broker",
            dependencies: [
                "CarnetBroker", "CarnetCommandLine", "CarnetRecords", "CarnetRelyingOptions", "CarnetResult",
                "CarnetServeOptions", "CarnetService", "CarnetServiceCommand", "CarnetStorage",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),

        // A Kubernetes API for tests: a double in process, and the real server.
        .target(
            name: "KubernetesHarness",
            dependencies: [
                "COpenSSL", "Cryptography", "Fixtures", "StrictEncoding",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Tests/KubernetesHarness", swiftSettings: settings),
        .testTarget(
            name: "KubernetesAPITests",
            dependencies: [
                "Fixtures", "KubernetesAPI", "KubernetesHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ], swiftSettings: settings),
        .testTarget(
            name: "CarnetAdmissionTests",
            dependencies: [
                "CarnetAdmission", "CarnetRelyingService", "CarnetResult", "CarnetService", "CarnetTesting",
                "Cryptography", "Fixtures", "KubernetesAPI", "KubernetesHarness", "NodeAdmission", "ServiceHarness",
                "StrictEncoding", "VerifierHarness", "Yams",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .testTarget(
            name: "KubernetesHarnessTests",
            dependencies: [
                "CarnetService", "Cryptography", "Fixtures", "KubernetesHarness", "ServiceHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),

        // Tests mirror the targets.
        .target(
            name: "Fixtures", dependencies: ["Cryptography", "StrictEncoding", "TPM2"], path: "Tests/Fixtures",
            swiftSettings: settings),
        .target(
            name: "ServiceHarness",
            dependencies: [
                "CarnetService", "StrictEncoding",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/ServiceHarness", swiftSettings: settings),
        .testTarget(
            name: "CarnetServiceTests",
            dependencies: [
                "CarnetService", "Fixtures", "ServiceHarness", "StrictEncoding",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .target(
            name: "VerifierHarness",
            dependencies: [
                "CarnetEvidence", "CarnetRecords", "CarnetRelyingParty", "CarnetResult", "CarnetSealing",
                "CarnetService",
                "CarnetStorage", "CarnetTesting", "CarnetVerifier", "Cryptography", "Fixtures", "MeasurementLogs",
                "ServiceHarness",
                "StrictEncoding",
                "TPM2",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/VerifierHarness", swiftSettings: settings),
        .testTarget(
            name: "CarnetVerifierTests",
            dependencies: [
                "CarnetAppraisal", "CarnetEvidence", "CarnetLedger", "CarnetRelyingParty", "CarnetResult",
                "CarnetService", "CarnetStorage", "CarnetTrustRefresh", "CarnetRecords", "CarnetVerifier",
                "Cryptography", "Fixtures",
                "MeasurementLogs",
                "ServiceHarness", "StrictEncoding", "TPM2", "VerifierHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .target(
            name: "BrokerHarness",
            dependencies: [
                "CarnetBroker", "CarnetLedger", "CarnetRecords", "CarnetRelyingService", "CarnetResult",
                "CarnetService",
                "CarnetStorage", "CarnetTesting",
                "Cryptography", "Fixtures", "ServiceHarness", "StrictEncoding", "VerifierHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/BrokerHarness", swiftSettings: settings),
        .testTarget(
            name: "CarnetBrokerTests",
            dependencies: [
                "BrokerHarness", "CarnetAttester", "CarnetBroker", "CarnetClient", "CarnetEvidence",
                "CarnetLedger", "CarnetRecords", "CarnetRelyingParty", "CarnetRelyingService", "CarnetResult",
                "CarnetService", "CarnetStorage", "CarnetTesting", "CarnetVerifier", "Cryptography", "Fixtures",
                "MeasurementLogs",
                "PolicyDocument", "ServiceHarness", "StrictEncoding", "TPM2", "VerifierHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ], swiftSettings: settings),
        .testTarget(name: "CarnetStorageTests", dependencies: ["CarnetStorage", "Fixtures"], swiftSettings: settings),
        .testTarget(
            name: "CryptographyTests", dependencies: ["Cryptography", "Fixtures", "StrictEncoding"],
            swiftSettings: settings),
        .testTarget(
            name: "TrustAnchorImportTests",
            dependencies: ["TrustAnchorImport", "Cryptography", "StrictEncoding", "Fixtures"], swiftSettings: settings),
        .testTarget(name: "TPM2Tests", dependencies: ["TPM2", "Cryptography", "Fixtures"], swiftSettings: settings),
        .testTarget(
            name: "MeasurementLogsTests",
            dependencies: ["MeasurementLogs", "TPM2", "Cryptography", "StrictEncoding", "Fixtures"],
            swiftSettings: settings),
        .testTarget(
            name: "ReferenceValuesTests",
            dependencies: [
                "ReferenceValues", "CarnetAppraisal", "MeasurementLogs", "TPM2", "Cryptography", "StrictEncoding",
                "Fixtures",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "CarnetResultTests",
            dependencies: ["CZlib", "CarnetResult", "CarnetTesting", "Cryptography", "StrictEncoding", "Fixtures"],
            swiftSettings: settings),
        .testTarget(
            name: "CarnetRelyingPartyTests",
            dependencies: [
                "CarnetRelyingParty", "CarnetResult", "CarnetTesting", "Cryptography", "StrictEncoding", "Fixtures",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "NodeAdmissionTests",
            dependencies: [
                "CarnetRelyingParty", "CarnetResult", "CarnetTesting", "Cryptography", "Fixtures", "NodeAdmission",
                "StrictEncoding",
            ], swiftSettings: settings),
        .testTarget(
            name: "CarnetTLSTests",
            dependencies: [
                "CarnetTLS", "CarnetRelyingParty", "CarnetResult", "CarnetTesting", "Cryptography", "Fixtures",
                "StrictEncoding",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: settings),
        .testTarget(
            name: "CarnetTrustRefreshTests",
            dependencies: [
                "CarnetTrustRefresh", "CarnetRelyingParty", "CarnetResult", "CarnetService", "CarnetTesting",
                "Cryptography", "ServiceHarness", "VerifierHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),
        .testTarget(
            name: "CarnetSealingTests",
            dependencies: [
                "CarnetSealing", "CarnetAttester", "CarnetEvidence", "CarnetRelyingParty",
                "CarnetResult", "CarnetTesting", "Cryptography", "Fixtures", "StrictEncoding", "TPM2",
            ], swiftSettings: settings),
        .testTarget(
            name: "CarnetAttesterTests",
            dependencies: [
                "CarnetAttester", "CarnetClient", "CarnetEvidence", "CarnetRelyingParty", "CarnetResult",
                "CarnetTesting",
                "Cryptography", "Fixtures",
                "MeasurementLogs", "ServiceHarness", "StrictEncoding", "TPM2", "VerifierHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ], swiftSettings: settings),
        .testTarget(
            name: "CarnetAgentTests",
            dependencies: [
                "CarnetAgent", "CarnetAttester", "CarnetClient", "CarnetEvidence", "CarnetRecords", "CarnetResult",
                "CarnetService", "CarnetTesting",
                "CarnetRelyingParty", "Fixtures", "MeasurementLogs", "ServiceHarness", "StrictEncoding", "TPM2",
                "VerifierHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .testTarget(
            name: "CarnetKubeletTests",
            dependencies: [
                "CarnetAttester", "CarnetKubelet", "Cryptography", "Fixtures", "KubernetesAPI", "NodeAdmission",
                "StrictEncoding",
            ], swiftSettings: settings),
        .testTarget(
            name: "StrictEncodingTests", dependencies: ["StrictEncoding", "Fixtures"], swiftSettings: settings),
        .testTarget(
            name: "CarnetEvidenceTests",
            dependencies: [
                "CarnetEvidence", "CarnetTesting", "MeasurementLogs", "TPM2", "Cryptography", "StrictEncoding",
                "Fixtures",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "CarnetAppraisalTests",
            dependencies: [
                "CarnetAppraisal", "CarnetEvidence", "CarnetResult", "CarnetTesting", "MeasurementLogs", "TPM2",
                "Cryptography", "StrictEncoding", "Fixtures",
            ],
            swiftSettings: settings),
        // Machines, verifier and relying party together: in one process, and as the programs that users run.
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "carnet", "carnet-admission", "carnet-agent", "carnet-broker", "carnet-verifier", "demo-machine",
                "CarnetAttester",
                "CarnetClient", "CarnetEvidence", "CarnetKubelet", "CarnetRelyingParty",
                "CarnetResult", "CarnetTesting", "Cryptography", "Fixtures", "KubernetesAPI", "KubernetesHarness",
                "MeasurementLogs", "NodeAdmission", "ServiceHarness",
                "StrictEncoding", "TPM2", "VerifierHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ], swiftSettings: settings),
        // Verifiers that die, and what surrounds them failing.
        .testTarget(
            name: "FaultTests",
            dependencies: [
                "carnet", "carnet-verifier", "CarnetEvidence", "CarnetRecords", "CarnetRelyingParty", "CarnetStorage",
                "CarnetVerifier",
                "Fixtures", "ServiceHarness", "StrictEncoding", "VerifierHarness",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ], swiftSettings: settings),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "BrokerHarness", "carnet", "carnet-admission", "carnet-agent", "carnet-broker", "carnet-verifier",
                "CarnetAttester",
                "CarnetCommandLine", "CarnetEvidence",
                "CarnetRelyingParty", "CarnetResult", "CarnetTesting", "CarnetRecords", "CarnetVerifier",
                "Cryptography", "Fixtures", "KubernetesHarness",
                "MeasurementLogs", "ServiceHarness", "StrictEncoding", "TPM2", "VerifierHarness", "Yams",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ], swiftSettings: settings),
    ] + fuzzer
)
