import Foundation
import KistCore
import TestSupport
import Testing

@Suite struct WebCredentialsTests {
  private func header(_ address: String, _ environment: [String: String]) throws -> String? {
    WebCredentials(environment: environment).authorization(for: try #require(URL(string: address)))
  }

  @Test(arguments: [
    ("https://huggingface.co/a/resolve/main/model.kist", true), ("https://HuggingFace.co/a", true),
    ("http://huggingface.co/a", false), ("https://huggingface.co.example/a", false),
    ("https://nothuggingface.co/a", false), ("https://cdn.huggingface.co/a", false),
    ("https://127.0.0.1/huggingface.co", false),
  ])
  func `the hub's token goes to the hub, over encryption, and nowhere else`(address: String, isSent: Bool) throws {
    #expect(try header(address, ["HF_TOKEN": " hf_abc\n"]) == (isSent ? "Bearer hf_abc" : nil))
  }

  @Test func `the token is that of the environment, else that of the file that the hub's own tools keep`() throws {
    let folder = try TemporaryFolder()
    let address = "https://huggingface.co/a"
    try FileManager.default.createDirectory(
      atPath: folder.file(".cache/huggingface"), withIntermediateDirectories: true)
    #expect(try header(address, ["HOME": folder.path]) == nil)
    try writeFile(Array("hf_file\n".utf8), folder.file(".cache/huggingface/token"))
    #expect(try header(address, ["HOME": folder.path]) == "Bearer hf_file")
    #expect(try header(address, ["HOME": folder.path, "HF_TOKEN": "hf_own"]) == "Bearer hf_own")
    #expect(try header(address, ["HOME": folder.path, "HF_TOKEN": ""]) == "Bearer hf_file")
    #expect(try header(address, ["HF_HOME": folder.file(".cache/huggingface")]) == "Bearer hf_file")
    #expect(try header(address, ["HF_TOKEN_PATH": folder.file(".cache/huggingface/token")]) == "Bearer hf_file")
    #expect(try header(address, ["HF_TOKEN": "two\r\nX-Lines: 1"]) == nil, "a token is one word")
  }

  @Test func `netrc's logins are read as other programs read them`() {
    let text = """
      # machine commented login a password b
      machine One.example
        login me
        password p#1
      machine two.example login "a b" account z password "c d" machine three.example login only
      default login any password thing
      """
    let expected = [("one.example", "me", "p#1"), ("two.example", "a b", "c d"), (nil, "any", "thing")]
    let found = NetrcLogin.all(in: text)
    #expect(found.map(\.machine) == expected.map(\.0))
    #expect(found.map(\.name) == expected.map(\.1) && found.map(\.password) == expected.map(\.2))
    for broken in [
      "machine", "machine a login", "login x password y", "machine a login \"x",
      "macdef m\nmachine a login b password c",
    ] {
      #expect(NetrcLogin.all(in: broken).isEmpty, "\(broken)")
    }
  }

  @Test func `the first login of a host is shown to it`() throws {
    let folder = try TemporaryFolder()
    try writeFile(Array("machine a.example login x password y\ndefault login d password e".utf8), folder.file(".netrc"))
    let environment = ["HOME": folder.path, "HF_TOKEN": "hf_abc"]
    #expect(try header("http://A.example:8080/f", environment) == "Basic eDp5")
    #expect(try header("https://b.example/f", environment) == "Basic ZDpl")
    #expect(try header("https://huggingface.co/f", environment) == "Bearer hf_abc")
  }
}
