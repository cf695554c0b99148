internal import Glibc

/// Files below a folder, as a machine sees them whose root it is: symbolic links, absolute ones too, lead to places below it.
///
/// Every step is taken from a descriptor of the step before, and follows no link by itself, so that no change meanwhile leads outside.
final class RootFolder {
    /// Why there is no file.
    enum Problem: Error {
        case missing
        case notRegular
        case failed(String)
    }

    private let root: Descriptor
    /// The folder that was looked at last, and where it really is: files of a package lie together.
    private var last: (folder: ArraySlice<UInt8>, place: Place)?

    private static let maximumLinkCount = 40
    private static let maximumDepth = 512

    /// A folder, and the names of the folders above it.
    private struct Place {
        var descriptors: [Descriptor]
        var names: [[UInt8]] = []
    }

    /// The folder of a path; `nil` when it cannot be opened.
    init?(_ path: String) {
        guard let root = Descriptor(folder: path) else { return nil }
        self.root = root
    }

    /// Calls `body` with parts of a regular file until its end.
    ///
    /// - Returns: The file's path, without links.
    func read(_ path: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) throws(Problem) -> [UInt8] {
        let (descriptor, place) = try openFile(path)
        try descriptor.read(body)
        return place
    }

    /// A regular file's bytes, at most `maximum`.
    func bytes(_ path: String, maximum: Int) throws(Problem) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try read(Array(path.utf8)) { if bytes.count <= maximum { bytes += $0 } }
        guard bytes.count <= maximum else { throw .failed("it has more than \(maximum) bytes") }
        return bytes
    }

    private func openFile(_ path: [UInt8]) throws(Problem) -> (Descriptor, path: [UInt8]) {
        let split = path.lastIndex(of: 0x2F) ?? 0
        let folder = path[..<split]
        let place: Place
        if let last, last.folder == folder {
            place = last.place
        } else {
            var links = 0
            place = try walk(Self.parts(folder), from: Place(descriptors: [root]), &links)
            last = (folder, place)
        }
        var links = 0
        return try open(path[split...].drop { $0 == 0x2F }, in: place, &links)
    }

    private static func parts(_ path: ArraySlice<UInt8>) -> [[UInt8]] { path.split(separator: 0x2F).map { Array($0) } }

    /// The folder to which the parts lead.
    private func walk(_ parts: [[UInt8]], from start: Place, _ links: inout Int) throws(Problem) -> Place {
        var place = start, pending = Array(parts.reversed())
        while let part = pending.popLast() {
            if part == [0x2E] { continue }
            if part == [0x2E, 0x2E] {
                // The root's parent is the root.
                if !place.names.isEmpty {
                    place.names.removeLast()
                    place.descriptors.removeLast()
                }
                continue
            }
            guard let here = place.descriptors.last, place.names.count < Self.maximumDepth else { throw .missing }
            let next = try here.look(at: part)
            switch next.kind {
            case S_IFDIR:
                place.descriptors.append(next)
                place.names.append(part)
            case S_IFLNK:
                let target = try follow(next, &links)
                if target.first == 0x2F { place = Place(descriptors: [root]) }
                pending += Self.parts(target[...]).reversed()
            default: throw .missing
            }
        }
        return place
    }

    private func open(
        _ name: ArraySlice<UInt8>, in place: Place, _ links: inout Int
    ) throws(Problem) -> (Descriptor, path: [UInt8]) {
        let part = Array(name)
        guard !part.isEmpty, part != [0x2E], part != [0x2E, 0x2E], let here = place.descriptors.last else {
            throw .notRegular
        }
        let found = try here.look(at: part)
        switch found.kind {
        case S_IFREG: return (try here.open(part), (place.names + [part]).flatMap { [0x2F] + $0 })
        case S_IFLNK:
            let target = try follow(found, &links)
            let split = (target.lastIndex(of: 0x2F) ?? -1) + 1
            let start = target.first == 0x2F ? Place(descriptors: [root]) : place
            let folder = try walk(Self.parts(target[..<split]), from: start, &links)
            return try open(target[split...], in: folder, &links)
        default: throw .notRegular
        }
    }

    private func follow(_ link: Descriptor, _ links: inout Int) throws(Problem) -> [UInt8] {
        links += 1
        guard links <= Self.maximumLinkCount, let target = link.target else { throw .missing }
        return target
    }
}
