using System.Text.Json;
using Godwit.Cli;
using Shouldly;

namespace Godwit.Tests.Cli;

/// <summary>One call of <c>godwit</c> in this process, and what it left on the streams.</summary>
internal sealed record CliRun(int ExitCode, string Out, string Error)
{
    /// <summary>The one JSON document on stdout; fails when there are none or two.</summary>
    public JsonElement Document()
    {
        using var document = JsonDocument.Parse(Out);
        return document.RootElement.Clone();
    }

    /// <summary>Calls it with a fake migrator, or with a real state file when there is none.</summary>
    public static async Task<CliRun> Of(
        IReadOnlyList<string> args,
        FakeMigrator? fake = null,
        string? answer = null,
        Dictionary<string, string>? variables = null,
        CancellationToken ct = default)
    {
        using var @out = new StringWriter();
        using var error = new StringWriter();
        var environment = new CliEnvironment
        {
            Variables = variables ?? new() { ["HOME"] = "/no/such/home", ["TERM"] = "dumb" },
            In = new StringReader(answer ?? ""),
            IsInputTerminal = answer is not null,
            IsErrorTerminal = answer is not null,
        };
        if (fake is not null)
        {
            environment = environment with { OpenMigrator = fake.OpenAsync };
        }

        var exitCode = await CliApp.RunAsync(args, @out, error, environment, ct);
        return new CliRun(exitCode, @out.ToString(), error.ToString());
    }

    /// <summary>Fails unless stdout is one document and the sentence is on stderr.</summary>
    public void ShouldBeOneDocument(int exitCode)
    {
        ExitCode.ShouldBe(exitCode, Error);
        var document = Document();
        document.ValueKind.ShouldBe(JsonValueKind.Object);
        if (document.TryGetProperty("error", out var problem))
        {
            problem.GetProperty("message").GetString().ShouldNotBeNullOrWhiteSpace();
            problem.GetProperty("problems").GetArrayLength().ShouldBeGreaterThan(0);
            Error.ShouldContain("godwit: ");
        }
    }
}
