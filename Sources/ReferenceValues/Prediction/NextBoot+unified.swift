internal import Cryptography
public import MeasurementLogs

extension NextBoot {
    /// The unified kernel image becomes another: itself in PCR 4, its sections in PCR 11, and what is in it where kernel and stub measure
    /// it again, in PCRs 4 and 9.
    ///
    /// The image is the last that ran before the stub measured its first section; what ran after that is the kernel inside.
    ///
    /// - Parameter old: The image that booted, if it is at hand: it tells which sections its stub left out. Without it, sections that the
    ///   last boot did not measure are left out, and a note says so.
    /// - Throws: ``NextBootError/notFound(_:)`` when the log shows no such image, or not `old`.
    public mutating func replaceUnifiedKernelImage(
        by new: PEImage, insteadOf old: PEImage? = nil
    ) throws(NextBootError) {
        let what = "unified kernel image"
        guard new.isUnifiedKernelImage else { throw .notFound("\(what), but the new file is none") }
        guard let first = boot.sections.first?.event,
            let image = boot.bootApplications.last(where: { $0.event < first && $0.untrustedRole == .application })
        else { throw .notFound(what) }
        if let old, !old.authenticodeDigest(hash).elementsEqual(image.digest) {
            throw .notFound("\(what) that is the old file")
        }
        replace(what, image.digest, by: new.authenticodeDigest(hash), in: 4)
        if let kernel = boot.bootApplications.last(where: { $0.event > first }),
            let inner = new.content(ofSection: ".linux").flatMap({ try? PEImage(parsing: Array($0)) })
        {
            replace("kernel inside", kernel.digest, by: inner.authenticodeDigest(hash), in: 4)
        }
        replaceSections(by: new, insteadOf: old)
        replaceCopies(of: new)
    }

    private mutating func replaceSections(by new: PEImage, insteadOf old: PEImage?) {
        let measured = Set(boot.sections.map(\.name))
        let names = PEImage.measuredSections.filter { name in
            measured.contains(name) || old.map { $0.content(ofSection: name) == nil } == true
        }
        let left = PEImage.measuredSections.filter { !names.contains($0) && new.content(ofSection: $0) != nil }
        if old == nil, !left.isEmpty {
            notes.append(
                "The new image has \(left.joined(separator: ", ")), which the last boot did not measure; PCR 11 is foretold "
                    + "without. Name the old image, too, to be sure (--old-uki).")
        }
        let before = boot.sections.flatMap { [hash.hash(Array($0.name.utf8) + [0]), Array($0.digest)] }
        let after = new.sectionDigests(hash, of: names)
        guard before != after else { return }
        guard prediction.replaceRun(before, by: after, in: 11) > 0 else {
            notes.append("The sections do not stand together in PCR 11, which cannot be foretold.")
            return
        }
        for section in boot.sections {
            let content = names.contains(section.name) ? new.content(ofSection: section.name) : nil
            let digest = content.map { hash.hash($0) }
            if digest?.elementsEqual(section.digest) != true {
                record("section \(section.name)", Array(section.digest), digest, 11)
            }
        }
    }

    /// Kernels measure the command line and the initial RAM disk that they get, wherever these come from.
    private mutating func replaceCopies(of new: PEImage) {
        let initrds = boot.objects(untrustedRole: .initrd).filter { $0.pcr == 9 }
        if let old = boot.sections.first(where: { $0.name == ".initrd" }),
            let content = new.content(ofSection: ".initrd")
        {
            replace("initrd inside", old.digest, by: hash.hash(content), in: 9)
            if initrds.contains(where: { $0.digest != old.digest }) {
                notes.append(
                    "The kernel got more initial RAM disks than the image's: PCR 9 holds them together or apart.")
            }
        }
        if boot.sections.contains(where: { $0.name == ".cmdline" }), let content = new.content(ofSection: ".cmdline") {
            replaceLoadOptions(by: String(decoding: content.prefix { $0 != 0 }, as: UTF8.self))
        }
    }
}
