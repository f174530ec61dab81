using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What is compared; see <see cref="ComparisonRequest"/>.</summary>
internal sealed record CompareArguments(string A, string B, IReadOnlyList<string> By, string? Day, string? Id, string? Where, int Limit)
{
    public static CompareArguments Of(ComparisonRequest r) => new(r.A.ToString(), r.B.ToString(), r.By, r.Day, r.Id, r.Where, r.Limit);

    public ComparisonRequest ToRequest() => new(TableOrPattern.Parse(A), TableOrPattern.Parse(B)) { By = By, Day = Day, Id = Id, Where = Where, Limit = Limit };
}

/// <summary>What came of a comparison.</summary>
/// <param name="Comparison">The counts; null when they could not be had.</param>
/// <param name="Summary">One or two sentences.</param>
public sealed record ComparisonFinding(Comparison? Comparison, string Summary);

/// <summary>Compares two tables, and keeps the report. What cannot be compared is told as well: a report is no reason to stop a run that has done its work.</summary>
internal sealed class CompareTables : IStep
{
    public const string Name = "compare-tables";

    /// <summary>The journal's fact with the report, a <see cref="ComparisonFinding"/>.</summary>
    public const string Fact = "comparison";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        if (context.Journal.Has(Fact))
        {
            return;
        }

        context.Board.Activity = "comparing";
        var arguments = context.Arguments<CompareArguments>();
        var finding = await FindAsync(context, arguments, ct);
        await context.Journal.FactAsync(Fact, finding);
        context.Board.Found(finding.Summary);
    }

    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;

    private static async Task<ComparisonFinding> FindAsync(StepContext context, CompareArguments arguments, CancellationToken ct)
    {
        try
        {
            var comparison = await Comparison.MakeAsync(context.Gateway, arguments.ToRequest(), ct);
            return new ComparisonFinding(comparison, comparison.Summary);
        }
        catch (Exception e) when (e is InvalidRequestException or ClickHouseException and not ClickHouseUnreachableException)
        {
            var why = e is InvalidRequestException invalid ? string.Join(' ', invalid.Problems) : e.Message;
            return new ComparisonFinding(null, $"{arguments.A} and {arguments.B} could not be compared: {why}");
        }
    }
}
