using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Testing;

public sealed class ApprovedTextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_same_text_passes_whatever_its_line_ends()
    {
        var file = Approved("one\r\ntwo\r\n");
        ApprovedText.Require(file, "one\ntwo\n");
    }

    [Theory]
    [InlineData("one\ntwo\n", "one\n2\n", "line 2 is\n    2\n  rather than\n    two")]
    [InlineData("one", "one\ntwo", "line 2 is\n    two\n  rather than\n    (the end)")]
    [InlineData("one\ntwo", "one", "line 2 is\n    (the end)\n  rather than\n    two")]
    public void Another_text_is_told_with_its_first_line_that_differs(string approved, string text, string told) =>
        Should.Throw<MigrationFaultException>(() => ApprovedText.Require(Approved(approved), text)).Message.ShouldContain(told);

    [Fact]
    public void Without_an_approved_text_it_is_said_how_to_get_one() =>
        Should.Throw<MigrationFaultException>(() => ApprovedText.Require(Path.Combine(_folder.Path, "none.txt"), "text")).Message.ShouldContain("GODWIT_APPROVE=1");

    private string Approved(string text)
    {
        var file = Path.Combine(_folder.Path, "approved.txt");
        File.WriteAllText(file, text);
        return file;
    }
}
