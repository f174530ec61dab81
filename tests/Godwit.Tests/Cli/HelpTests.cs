using System.Runtime.CompilerServices;
using Godwit.Cli;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Cli;

public class HelpTests
{
    [Fact]
    public async Task The_help_is_the_approved_one()
    {
        // GODWIT_APPROVE=1 ./test.sh writes the file anew; the difference is then read in review.
        var text = Help.FirstPage() + string.Concat(Verbs.GroupSummaries.Keys.Select(g => $"\n==== {g}\n{Help.GroupPage(g)}"))
            + string.Concat(Verbs.All.Select(v => $"\n==== {v.FullName}\n{Help.Page(v)}"));
        var path = Path.Combine(Here(), "..", "..", "Approved", "help.txt");
        if (Environment.GetEnvironmentVariable("GODWIT_APPROVE") == "1")
        {
            await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        }

        text.ShouldBe(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Help_and_version_are_one_document_with_json()
    {
        foreach (var line in new[] { "--help", "help rebuild", "rebuild --help", "--version", "status -h" })
        {
            var json = await CliRun.Of([.. line.Split(' '), "--output", "json"], ct: TestContext.Current.CancellationToken);
            json.ShouldBeOneDocument(0);
            var text = await CliRun.Of(line.Split(' '), ct: TestContext.Current.CancellationToken);
            text.ExitCode.ShouldBe(0);
            text.Error.ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task The_version_is_the_name_and_the_number()
    {
        var run = await CliRun.Of(["--version"], ct: TestContext.Current.CancellationToken);
        run.Out.Trim().ShouldBe("godwit 0.1.0");
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
