import CarnetResult
import StrictEncoding
import Testing

@Suite("Import blobs as JSON")
struct ImportMessageTests {
    private let message = ImportMessage(
        parent: [UInt8](repeating: 1, count: 34), pcrs: "sha256:0,4", publicArea: [2], duplicate: [3, 4],
        encryptedSeed: [5])

    @Test("What is written is read back")
    func roundTrip() throws {
        #expect(try ImportMessage(parsing: message.bytes) == message)
        #expect(ImportMessage.isOne(message.bytes) && !ImportMessage.isOne(Array("ey".utf8)))
    }

    @Test(
        "One spelling is read, and nothing besides",
        arguments: [
            (#""typ":"application/vnd.carnet.tpm-import+json""#, #""typ":"application/json""#),
            (#""pcrs":"sha256:0,4""#, #""pcrs":"sha256:0 4""#), (#""pcrs":"sha256:0,4""#, #""pcrs":"""#),
            (#""pcrs":"sha256:0,4""#, #""pcrs":7"#), (#""public":"Ag""#, #""public":"""#),
            (#""public":"Ag""#, #""public":"Ag==""#), (#""public":"Ag""#, #""public":"Ag","public":"Ag""#),
            (#""public":"Ag""#, #""public":"Ag","more":1"#), (#""public":"Ag","#, ""),
            (#""seed":"BQ""#, #""seed":{"a":1}"#), (#""parent":"AQ"#, #""parent":"AQE"#), ("}", "}}"), ("}", ""),
        ])
    func strict(target: String, replacement: String) throws {
        let text = String(decoding: message.bytes, as: UTF8.self)
        let spoiled = text.replacing(target, with: replacement)
        #expect(spoiled != text)
        #expect(throws: JOSEError.self) { try ImportMessage(parsing: Array(spoiled.utf8)) }
    }

    @Test("Parts that no TPM makes are too long")
    func bounds() throws {
        let long = ImportMessage(
            parent: message.parent, pcrs: message.pcrs, publicArea: [UInt8](repeating: 1, count: 513), duplicate: [1],
            encryptedSeed: [1])
        #expect(throws: JOSEError.self) { try ImportMessage(parsing: long.bytes) }
        let padded = message.bytes + [UInt8](repeating: 0x20, count: ImportMessage.maximumByteCount)
        #expect(throws: JOSEError.self) { try ImportMessage(parsing: padded) }
    }
}
