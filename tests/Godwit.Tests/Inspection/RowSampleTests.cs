using Godwit.Inspection;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Inspection;

public sealed class RowSampleTests
{
    [Fact]
    public void Windows_lie_at_even_distances_and_go_on_over_the_ends_of_parts()
    {
        var windows = RowSample.Place([("a", 95), ("b'", 545)], 10);

        windows.Count.ShouldBe(65);
        windows[9].ShouldBe("_part = 'a' AND _part_offset >= 90 AND _part_offset < 95");
        windows[10].ShouldBe("_part = 'b\\'' AND _part_offset >= 0 AND _part_offset < 5");
        windows[^1].ShouldBe("_part = 'b\\'' AND _part_offset >= 535 AND _part_offset < 545");
    }
}
