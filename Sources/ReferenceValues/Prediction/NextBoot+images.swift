internal import Cryptography
public import MeasurementLogs

extension NextBoot {
    /// An image that firmware or a boot loader runs becomes another: PCR 4, for drivers PCR 2.
    ///
    /// - Parameter name: What the log calls the old one: its whole path, or the last part, in letters of either case.
    /// - Throws: ``NextBootError`` when no image has the name, or several different ones have.
    public mutating func replaceImage(named name: String, by new: PEImage) throws(NextBootError) {
        let wanted = name.lowercased()
        let named = boot.objects.filter { object in
            guard object.pcr == 4 || object.pcr == 2, let path = object.untrustedName?.lowercased() else {
                return false
            }
            return path == wanted || path.split(whereSeparator: { $0 == "\\" || $0 == "/" }).last ?? "" == wanted
        }
        let what = "image \(name)"
        guard let old = try Self.one(of: named, what) else { throw .notFound(what) }
        replace(what, old.digest, by: new.authenticodeDigest(hash), in: old.pcr)
    }

    /// The kernel becomes another, of a boot without a unified kernel image: as an image in PCR 4, and as GRUB's file in PCR 9.
    ///
    /// - Throws: ``NextBootError/notFound(_:)`` when the log shows no kernel, and ``NextBootError/ambiguous(_:count:)``.
    public mutating func replaceKernel(by new: [UInt8]) throws(NextBootError) {
        guard boot.sections.isEmpty else { throw .notFound("kernel outside of a unified kernel image") }
        // What GRUB started itself comes after its first command; before it come shim and GRUB.
        let first = boot.commands.first?.event
        let started = first.map { first in boot.bootApplications.filter { $0.event > first } } ?? boot.bootApplications
        let image = try? PEImage(parsing: new), files = boot.objects(untrustedRole: .kernel).filter { $0.pcr == 9 }
        var isFound = false
        if let old = try Self.one(of: files, "kernel") {
            replace("kernel", old.digest, by: hash.hash(new), in: 9)
            isFound = true
        }
        if let old = started.last(where: { $0.untrustedRole == .application }) {
            guard let image else { throw .notFound("kernel that is no EFI image, but one that is") }
            replace("kernel", old.digest, by: image.authenticodeDigest(hash), in: 4)
            isFound = true
        }
        guard isFound else { throw .notFound("kernel") }
    }

    /// The initial RAM disk becomes another: PCR 9.
    ///
    /// - Throws: ``NextBootError/notFound(_:)`` when the log shows none, and ``NextBootError/ambiguous(_:count:)`` for several.
    public mutating func replaceInitrd(by new: [UInt8]) throws(NextBootError) {
        let found = boot.objects(untrustedRole: .initrd).filter { $0.pcr == 9 }
        guard let old = try Self.one(of: found, "initial RAM disk") else { throw .notFound("initial RAM disk") }
        replace("initrd", old.digest, by: hash.hash(new), in: 9)
        if boot.sections.contains(where: { $0.name == ".initrd" }) {
            notes.append(
                "The initial RAM disk is in a unified kernel image: PCRs 4 and 11 move with the image (--uki).")
        }
    }

    /// The one thing of a list; `nil` for none.
    static func one(of objects: [MeasuredObject], _ what: String) throws(NextBootError) -> MeasuredObject? {
        let digests = Set(objects.map { Array($0.digest) })
        guard digests.count <= 1 else { throw .ambiguous(what, count: digests.count) }
        return objects.first
    }
}
