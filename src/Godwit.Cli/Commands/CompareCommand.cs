using System.CommandLine;
using Godwit.Cli.Arguments;
using Godwit.Cli.Rendering;
using Godwit.Inspection;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit compare</c>: how two tables differ, by counts. Changes nothing.</summary>
internal static class CompareCommand
{
    private static readonly Argument<string> A = Arg.Text("A", "A table, DB.TABLE, or all whose names match a pattern as one: 'DB./^events_/'");
    private static readonly Argument<string> B = Arg.Text("B", "The other side, on the same server");
    private static readonly Option<string[]> By = Opt.Many("--by", "COLUMN", $"Count by this column too; repeatable, at most {ComparisonRequest.MostColumns}");
    private static readonly Option<string> Day = Opt.Text("--day", "COLUMN", "Count by the days of this column [one of the partition key, of the sorting key, or the first of dates]");
    private static readonly Option<string> Id = Opt.Text("--id", "COLUMN", "Count the unique values of this column [uuid or id, if there is one]");
    private static readonly Option<string> Where = Opt.Text("--where", "SQL", "Only rows for which this expression is true");
    private static readonly Option<int?> Limit = Opt.Parsed("--limit", "N", $"Show this many differences of each count, the largest [{ComparisonRequest.DefaultLimit}]", Opt.SmallNumber);

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("compare", "Count the rows of two tables by partition, day and columns, and show where they differ; changes nothing", RunAsync, A, B)
    {
        Groups = [("Options", [By, Day, Id, Where, Limit])],
        Examples =
        [
            "godwit compare analytics.events analytics.events_godwit_k3f9a2b1",
            "godwit compare 'analytics./^events_20/' analytics.events --by team_id --where \"timestamp < '2026-01-01'\"",
        ],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        List<string> problems = [];
        var request = ComparisonRequest.Read(call.Get(A), call.Get(B), problems) is { } sides
            ? sides with { By = call.All(By), Day = call.Get(Day), Id = call.Get(Id), Where = call.Get(Where), Limit = call.Get(Limit) ?? ComparisonRequest.DefaultLimit }
            : null;
        problems.AddRange(request?.Problems() ?? []);
        await using var migrator = await call.OpenAsync(create: true, problems);
        var comparison = await migrator.CompareAsync(request!, call.Token);
        if (call.Output.IsJson)
        {
            call.Output.Document(comparison);
        }
        else
        {
            call.Screen().Write(ComparisonView.Of(comparison));
        }

        // The question was answered, whatever the answer is.
        return ExitCodes.Done;
    }
}
