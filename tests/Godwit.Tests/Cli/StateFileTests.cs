using Godwit.Metadata.Sqlite;
using Godwit.Tests.Metadata;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Cli;

/// <summary>The verbs on real state files.</summary>
public sealed class StateFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-cli-").FullName;

    private string State => Path.Combine(_folder, "state.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("runs")]
    [InlineData("status")]
    [InlineData("status --watch")]
    [InlineData("errors x")]
    [InlineData("pause x")]
    [InlineData("resume x")]
    [InlineData("cleanup x")]
    public async Task A_missing_state_file_is_told_and_not_made(string line)
    {
        var run = await CliRun.Of([.. line.Split(' '), "--state", State, "--output", "json"], ct: TestContext.Current.CancellationToken);
        run.ShouldBeOneDocument(1);
        run.Error.ShouldContain("There is no state file at");
        File.Exists(State).ShouldBeFalse();
    }

    [Fact]
    public async Task Something_else_than_a_state_file_is_refused()
    {
        await File.WriteAllTextAsync(State, new string('x', 5000), TestContext.Current.CancellationToken);
        var run = await CliRun.Of(["runs", "--state", State], ct: TestContext.Current.CancellationToken);
        run.ExitCode.ShouldBe(1);
        run.Error.ShouldStartWith("godwit: ");
    }

    [Fact]
    public async Task Runs_lists_what_is_stored()
    {
        var ct = TestContext.Current.CancellationToken;
        await using (var store = await SqliteStore.OpenAsync(State, ct: ct))
        {
            await store.CreateRunAsync(StoreSamples.Run("aaaaaaaa", table: "db.\"[red]x[/]\""), StoreSamples.Plan(), ct);
        }

        var text = await CliRun.Of(["runs", "--state", State], ct: ct);
        text.ExitCode.ShouldBe(0, text.Error);
        text.Out.ShouldContain("[red]x[/]");
        var json = await CliRun.Of(["runs", "--state", State, "--output", "json"], ct: ct);
        json.Document().GetProperty("runs")[0].GetProperty("state").GetString().ShouldBe("NotStarted");
    }
}
