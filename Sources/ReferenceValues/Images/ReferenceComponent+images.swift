public import CarnetAppraisal
public import Cryptography
public import MeasurementLogs

extension ReferenceComponent {
    /// An image by its Authenticode digests, one component for each algorithm.
    ///
    /// - Returns: `nil` when `name` is none that a component may have, or an algorithm proves nothing.
    public static func image(
        _ image: PEImage, as type: Class = .application, name: String, algorithms: [HashAlgorithm],
        window: ValidityWindow = .always
    ) -> [Self]? {
        all(algorithms) {
            ReferenceDigest($0, image.authenticodeDigest($0))
        } make: {
            Self(type, $0, name: name, window: window)
        }
    }

    /// A unified kernel image: itself, and each section that systemd-stub measures, under the section's name.
    ///
    /// Without Secure Boot firmware measures the kernel inside as an application of its own, so that is here too, with `.linux` behind
    /// the name.
    ///
    /// - Returns: `nil` when the image has no `.linux`, or when `name` is none that a component may have.
    public static func unifiedKernelImage(
        _ unified: PEImage, name: String, algorithms: [HashAlgorithm], window: ValidityWindow = .always
    ) -> [Self]? {
        guard let kernel = unified.content(ofSection: ".linux"),
            var components = image(unified, name: name, algorithms: algorithms, window: window)
        else { return nil }
        if let inner = try? PEImage(parsing: Array(kernel)) {
            guard let kernel = image(inner, name: name + " .linux", algorithms: algorithms, window: window) else {
                return nil
            }
            components += kernel
        }
        for section in PEImage.measuredSections {
            guard let content = unified.content(ofSection: section) else { continue }
            let digests = all(algorithms) {
                ReferenceDigest($0, $0.hash(content))
            } make: {
                Self(.section, $0, name: section, window: window)
            }
            guard let digests else { return nil }
            components += digests
        }
        return components
    }

    /// A file by the digests of its bytes.
    ///
    /// - Returns: `nil` when `name` is none that a component may have, or an algorithm proves nothing.
    public static func file(
        _ bytes: [UInt8], as type: Class = .file, name: String, algorithms: [HashAlgorithm],
        window: ValidityWindow = .always
    ) -> [Self]? {
        all(algorithms) {
            ReferenceDigest($0, $0.hash(bytes))
        } make: {
            Self(type, $0, name: name, window: window)
        }
    }

    /// A certificate whose holder may say what runs, by the SHA-256 of its DER bytes.
    ///
    /// - Returns: `nil` when `name` is none that a component may have.
    public static func authority(
        _ certificate: Certificate, name: String, window: ValidityWindow = .always
    ) -> Self? {
        ReferenceDigest(.sha256, certificate.fingerprint).flatMap { Self(.authority, $0, name: name, window: window) }
    }

    private static func all(
        _ algorithms: [HashAlgorithm], _ digest: (HashAlgorithm) -> ReferenceDigest?,
        make: (ReferenceDigest) -> Self?
    ) -> [Self]? {
        let made = algorithms.compactMap { digest($0).flatMap(make) }
        return made.count == algorithms.count ? made : nil
    }
}
