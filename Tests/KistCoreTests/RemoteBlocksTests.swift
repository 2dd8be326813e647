import KistCore
import Testing

/// Which blocks are asked for, by whom, and how many at a time.
@Suite struct RemoteBlocksTests {
  private let most = RemoteBlocks.mostPerRequest

  @Test func `bytes lie in blocks`() {
    let size = RemoteBlocks.byteCount
    #expect(RemoteBlocks.blocks(of: 0..<1) == 0..<1)
    #expect(RemoteBlocks.blocks(of: size - 1..<size + 1) == 0..<2)
    #expect(RemoteBlocks.blocks(of: size..<2 * size) == 1..<2)
    #expect(RemoteBlocks.blocks(of: 7..<7).isEmpty)
  }

  @Test func `nothing is asked for twice`() {
    var blocks = RemoteBlocks(here: [0])
    #expect(blocks.firstMissing(of: 0..<1) == nil && blocks.firstMissing(of: 0..<4) == 1)
    #expect(blocks.claim(from: 1, upTo: 4) == 1..<4)
    #expect(blocks.claim(from: 2, upTo: 8) == nil, "is on its way")
    #expect(blocks.claim(from: 4, upTo: 8) == 4..<8)
    blocks.arrived(1..<3)
    #expect(blocks.firstMissing(of: 1..<4) == 3)
    blocks.gaveUp(1..<4)
    #expect(blocks.claim(from: 3, upTo: 5) == 3..<4, "what did not come can be asked for again")
  }

  @Test func `what is wanted soon is joined, and skipped where it came meanwhile`() {
    var blocks = RemoteBlocks(here: [5])
    for block in 0..<10 { blocks.want(block..<block + 1) }
    blocks.want(3..<12)
    blocks.want(40..<42)
    #expect(blocks.claimNext() == 0..<5)
    #expect(blocks.claim(from: 8, upTo: 10) == 8..<10)
    #expect(blocks.claimNext() == 6..<8)
    #expect(blocks.claimNext() == 10..<12)
    #expect(blocks.claimNext() == 40..<42)
    #expect(blocks.claimNext() == nil)
    blocks.want(0..<5)
    #expect(blocks.claimNext() == nil, "is on its way")
  }

  @Test func `a long range is shared out`() {
    var blocks = RemoteBlocks(here: [])
    blocks.want(0..<2 * most + 1)
    #expect(blocks.claim(from: 0, upTo: 2 * most) == 0..<most)
    #expect(blocks.claimNext() == most..<2 * most)
    #expect(blocks.claimNext() == 2 * most..<2 * most + 1)
    blocks.want(3 * most..<5 * most)
    blocks.wantNothing()
    #expect(blocks.claimNext() == nil)
    blocks.want(3 * most..<3 * most + 1)
    #expect(blocks.claimNext() == 3 * most..<3 * most + 1)
  }
}
