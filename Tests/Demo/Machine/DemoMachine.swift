import ArgumentParser
import CarnetTesting
import Foundation
import MeasurementLogs

/// A machine for the demonstration: a software TPM that boots well, or not.
@main
struct DemoMachine: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-machine", abstract: "A software TPM that plays a machine.",
        subcommands: [Provision.self, Boot.self, Update.self, Tamper.self, Policy.self])
}

struct Folder: ParsableArguments {
    @Argument(help: "The machine's directory.")
    var directory: String

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(filePath: directory + "/" + name), options: .atomic)
    }
}

struct Provision: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a TPM with an endorsement certificate, and start it.")
    @OptionGroup var folder: Folder

    func run() throws {
        let tpm = try SoftwareTPM.provision(in: folder.directory)
        tpm.keepAlive()
        print("A TPM with an endorsement certificate is in \(folder.directory)")
    }
}

struct Boot: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Power on, and measure a good boot.")
    @OptionGroup var folder: Folder

    func run() throws {
        let tpm = SoftwareTPM.existing(in: folder.directory), log = GoodBoot.log()
        try tpm.reboot()
        try tpm.measure(log)
        try folder.write(log.bytes, "event-log.bin")
        try folder.write(log.bytes, "event-log.good")
        print("Measured \(log.measurements.count) events into PCR 0 to 9")
    }
}

struct Update: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Power on with another kernel, and measure that boot.")
    @OptionGroup var folder: Folder
    @Option(help: "The file of the new kernel.") var kernel: String

    func run() throws {
        let tpm = SoftwareTPM.existing(in: folder.directory)
        let log = GoodBoot.log(kernel: [UInt8](try Data(contentsOf: URL(filePath: kernel))))
        try tpm.reboot()
        try tpm.measure(log)
        try folder.write(log.bytes, "event-log.bin")
        print("Measured \(log.measurements.count) events into PCR 0 to 9, among them another kernel")
    }
}

struct Tamper: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measure one more boot loader, an unknown one.")
    @OptionGroup var folder: Folder

    func run() throws {
        let log = GoodBoot.tamperedLog()
        try SoftwareTPM.existing(in: folder.directory).measure(log, from: GoodBoot.log().measurements.count)
        try folder.write(log.bytes, "event-log.bin")
        print("Measured \\EFI\\BOOT\\implant.efi into PCR 4")
    }
}

struct Policy: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print a policy that allows the good boot.")
    @OptionGroup var folder: Folder

    func run() throws { print(try GoodBoot.policy(for: GoodBoot.log()), terminator: "") }
}
