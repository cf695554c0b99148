// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that what it needs stays out of Carnet's.
let package = Package(
    name: "carnet-benchmarks",
    dependencies: [.package(name: "carnet", path: "../..")],
    targets: [
        .target(name: "CAllocations"),
        .target(name: "CInflate", linkerSettings: [.linkedLibrary("z")]),
        .executableTarget(
            name: "carnet-bench",
            dependencies: [
                "CAllocations", "CInflate",
                .product(name: "CarnetAppraisal", package: "carnet"),
                .product(name: "CarnetRelyingParty", package: "carnet"),
                .product(name: "CarnetTesting", package: "carnet"),
                .product(name: "Cryptography", package: "carnet"),
            ]),
    ]
)
