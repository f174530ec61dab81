using System.CommandLine;
using System.Globalization;
using Godwit.Checks;
using Godwit.Cli.Arguments;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit limit</c>: makes a run that is under way copy slower or faster.</summary>
internal static class LimitCommand
{
    private const string NoLimit = "none";
    private static readonly Argument<string> Run = Arg.Run();
    private static readonly Argument<string> Limit = Arg.Text("ROWS", $"The most rows per second, or {NoLimit}");

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("limit", "Say how fast a run may copy from now on", RunAsync, Run, Limit)
    {
        Examples = ["godwit limit k3f9a2b1 200000", "godwit limit k3f9a2b1 none"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        var text = call.Get(Limit)!;
        long? rows = text == NoLimit ? null
            : long.TryParse(text.Replace(",", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new InvalidRequestException([$"'{text}' is no limit: give rows per second, such as 200000, or {NoLimit}."]);
        await using var migrator = await call.OpenAsync(create: false);
        var run = await call.FindRunAsync(migrator, call.Get(Run)!);
        return call.Show(await migrator.LimitAsync(run, rows, call.Token), ExitCodes.Hold);
    }
}
