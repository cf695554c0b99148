import Foundation

/// Hands libFuzzer's bytes to the parser that `CARNET_FUZZ_TARGET` names.
///
/// libFuzzer brings its own main, and the package manager another; so this program calls libFuzzer's driver by name.
@main
struct Fuzzer {
    static func main() {
        let name = ProcessInfo.processInfo.environment["CARNET_FUZZ_TARGET"] ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
            FileHandle.standardError.write(Data("Set CARNET_FUZZ_TARGET to one of \(names)\n".utf8))
            exit(2)
        }
        selected = target
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(
            runDriver(&count, &arguments) { bytes, count in
                selected.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
                return 0
            })
    }
}

/// Set once before the driver runs; the driver is single-threaded.
private nonisolated(unsafe) var selected = FuzzTarget.token

private typealias Callback = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ callback: Callback
) -> CInt
