// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableExperimentalFeature("Lifetimes"),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "Kist",
  products: [
    .library(
      name: "Kist",
      targets: [
        "KistCore", "KistFormat", "KistCheckpoints", "KistTokenizers", "KistQuantization", "KistArchitectures",
        "KistInference", "KistTraining", "KistConversion",
      ]),
    .executable(name: "kist", targets: ["kist"]),
    .executable(name: "kist-bench", targets: ["KistBench"]),
  ],
  dependencies: [
    // The parser of the command line, by the Swift project.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // SHA-256 (with the CPU's SHA instructions) and Ed25519: BoringSSL behind a Swift face.
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    // PEM and DER for keys, so that OpenSSL's keys are ours.
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
  ],
  targets: [
    // System libraries and C.
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),
    .target(name: "CMapGuard"),
    .target(name: "CWriteback"),
    // Loads OpenBLAS when it is needed.
    .target(name: "COpenBLAS"),

    // The layers, lowest first.
    .target(
      name: "KistCore", dependencies: ["CKernels", "CMapGuard", "CSimdJSON", "CWriteback"], swiftSettings: strict),
    .target(
      name: "KistFormat",
      dependencies: [
        "KistCore", "CKernels", "CZstd", "CXXHash",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
      ],
      swiftSettings: strict),
    .target(name: "KistCheckpoints", dependencies: ["KistCore", "CZlib"], swiftSettings: strict),
    .target(
      name: "KistTokenizers", dependencies: ["KistCore", "KistCheckpoints", "CPCRE2", "CKernels"], swiftSettings: strict
    ),
    .target(name: "KistQuantization", dependencies: ["KistCore", "CKernels"], swiftSettings: strict),
    .target(name: "KistArchitectures", dependencies: ["KistCore"], swiftSettings: strict),
    .target(
      name: "KistInference",
      dependencies: ["KistCore", "KistArchitectures", "KistQuantization", "CKernels", "COpenBLAS"],
      swiftSettings: strict),
    .target(
      name: "KistTraining",
      dependencies: [
        "KistCore", "KistTokenizers", "KistArchitectures", "KistQuantization", "KistInference", "CKernels",
      ],
      swiftSettings: strict),
    .target(
      name: "KistConversion",
      dependencies: [
        "KistCore", "KistFormat", "KistTokenizers", "KistCheckpoints", "KistQuantization", "KistArchitectures",
        "KistInference", "KistTraining", "CKernels",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "kist",
      dependencies: [
        "KistCore", "KistFormat", "KistCheckpoints", "KistTokenizers", "KistQuantization", "KistArchitectures",
        "KistInference", "KistTraining", "KistConversion",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "KistBench",
      dependencies: [
        "KistCore", "KistFormat", "KistCheckpoints", "KistTokenizers", "KistQuantization", "KistArchitectures",
        "KistInference", "KistTraining", "KistConversion", "CKernels",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Peers"],
      swiftSettings: strict),

    // What several test targets use: temporary folders, seeded bytes, sample entries.
    .target(name: "TestSupport", dependencies: ["KistFormat"], path: "Tests/TestSupport", swiftSettings: strict),
    // The kernels as compiled for each kind of processor, under names of their own.
    .target(name: "KernelClones", dependencies: ["CKernels"], path: "Tests/KernelClones"),
    .testTarget(
      name: "KernelTests", dependencies: ["CKernels", "KernelClones", "KistConversion", "TestSupport"],
      swiftSettings: strict),
    .testTarget(name: "KistCoreTests", dependencies: ["KistCore", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "KistFormatTests", dependencies: ["KistFormat", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "KistCheckpointsTests", dependencies: ["KistCheckpoints", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "KistTokenizersTests", dependencies: ["KistTokenizers", "CKernels", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "KistQuantizationTests", dependencies: ["KistQuantization", "CKernels", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "KistArchitecturesTests",
      dependencies: ["KistArchitectures", "KistCheckpoints", "KistConversion", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "KistInferenceTests", dependencies: ["KistInference", "KistCheckpoints"], swiftSettings: strict),
    .testTarget(
      name: "KistTrainingTests",
      dependencies: ["KistTraining", "KistConversion", "KistCheckpoints", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "KistConversionTests", dependencies: ["KistConversion", "KistTokenizers", "CKernels", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ConformanceTests", dependencies: ["KistConversion", "KistTokenizers", "TestSupport", "kist"],
      path: "Tests/Conformance",
      swiftSettings: strict),
    .testTarget(
      name: "HostileTests", dependencies: ["KistConversion", "KistTokenizers", "TestSupport"], path: "Tests/Hostile",
      swiftSettings: strict),
  ],
  cxxLanguageStandard: .cxx17
)
