using Shouldly;
using Xunit;

namespace Godwit.Tests.Cli;

public class LoginTests
{
    private static readonly Dictionary<string, string> Variables = new()
    {
        ["HOME"] = "/home/me",
        ["GODWIT_SERVER"] = "http://envhost:1",
        ["GODWIT_USER"] = "envuser",
        ["GODWIT_PASSWORD"] = "envpass",
    };

    [Theory]
    [InlineData("", "envhost", "envuser", "envpass")]
    [InlineData("--server http://h", "h", "envuser", "envpass")]
    [InlineData("--server http://u:p@h", "h", "u", "p")]
    [InlineData("--server http://u@h", "h", "u", "envpass")]
    [InlineData("--server http://u:p@h --user me", "h", "me", "p")]
    [InlineData("--server http://u:p@h --password-file FILE", "h", "u", "from file")]
    [InlineData("--password-file FILE", "envhost", "envuser", "from file")]
    public async Task What_is_written_wins_over_the_environment(string options, string host, string user, string password)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "from file\n", TestContext.Current.CancellationToken);
        var fake = new FakeMigrator();
        string[] args = ["doctor", "db.t", .. options.Replace("FILE", file, StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        var run = await CliRun.Of(args, fake, variables: Variables, ct: TestContext.Current.CancellationToken);
        File.Delete(file);
        run.ExitCode.ShouldBe(0, run.Error);
        fake.Server.ShouldNotBeNull();
        (fake.Server.Url.Host, fake.Server.User, fake.Server.Password.Reveal()).ShouldBe((host, user, password));
    }

    [Theory]
    [InlineData("", "", "/home/me/.local/state/godwit/godwit.db")]
    [InlineData("/x", "", "/x/godwit/godwit.db")]
    [InlineData("relative", "", "/home/me/.local/state/godwit/godwit.db")]
    [InlineData("/x", "/y/z.db", "/y/z.db")]
    public async Task The_state_file_is_where_the_desktop_says(string xdg, string state, string expected)
    {
        var fake = new FakeMigrator();
        var variables = new Dictionary<string, string>(Variables) { ["XDG_STATE_HOME"] = xdg, ["GODWIT_STATE"] = state };
        await CliRun.Of(["runs"], fake, variables: variables, ct: TestContext.Current.CancellationToken);
        fake.StateFile.ShouldBe(expected);
    }

    [Fact]
    public async Task Verbs_that_read_the_state_file_do_not_mind_a_bad_server()
    {
        foreach (var verb in new[] { "status", "runs", "errors k3f" })
        {
            var run = await CliRun.Of([.. verb.Split(' '), "--server", "nonsense"], new FakeMigrator(), ct: TestContext.Current.CancellationToken);
            run.ExitCode.ShouldBe(0, run.Error);
        }
    }
}
