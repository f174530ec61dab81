using System.Text.Json;
using Godwit.Metadata;
using Godwit.Operations;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Server.Pages;

/// <summary>Everything that the page of a run shows at a moment.</summary>
public sealed record RunModel
{
    /// <summary>What is known of it.</summary>
    public required RunStatus Status { get; init; }

    /// <summary>Its frozen plan.</summary>
    public required Plan Plan { get; init; }

    /// <summary>Its figures over time, oldest first.</summary>
    public required IReadOnlyList<RunSample> Samples { get; init; }

    /// <summary>When it was looked at (UTC).</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>What may be asked of it as it is.</summary>
    public required IReadOnlyList<RunRequest> Choices { get; init; }

    /// <summary>What it is about, as the heading.</summary>
    public string Subject => Plan.Migration == Plan.ByHand ? string.Join(", ", Plan.Tables) : Plan.Migration;

    /// <summary>What the browser's tab says.</summary>
    public string Title => Status.State is RunState.Running or RunState.RollingBack
        ? FormattableString.Invariant($"{Status.Percent:0.#} % · {Subject} · Godwit")
        : $"{Status.State} · {Subject} · Godwit";

    /// <summary>How long it has been going, or took.</summary>
    public TimeSpan? Took => Status.StartedAt is { } start ? (Status.FinishedAt ?? Now) - start : null;

    /// <summary>Steps that move rows: each is a cell of the grid.</summary>
    public IReadOnlyList<StepStatus> Cells => _cells ??= [.. Status.Steps.Where(s => s.RowsTotal is not null && s.Kind.StartsWith("copy", StringComparison.Ordinal) || s.Kind == "link-partition")];

    private IReadOnlyList<StepStatus>? _cells;

    /// <summary>The steps at work, and those that failed. One that was begun and is held is neither.</summary>
    public IReadOnlyList<StepStatus> AtWork => [.. Status.Steps.Where(s => s.State == StepState.Failed || (s.State == StepState.Running && Status.Owner is not null && Status.State != RunState.Paused))];

    /// <summary>Everything that was copied has been compared.</summary>
    public bool IsVerified => Status.State == RunState.Completed || Status.Cutover is not null || Status.Steps.Any(s => s is { Kind: "verify" or "compare-consumers", State: StepState.Done });

    /// <summary>What comparisons have found, and in which step.</summary>
    public IEnumerable<(string Finding, int Step)> Findings => Status.Findings.Zip(Status.Steps.Where(s => s is { Kind: CompareTables.Name, State: StepState.Done }).Select(s => s.Index));

    /// <summary>
    /// The grid as one letter a cell: <c>.</c> waiting, <c>0</c>–<c>9</c> tenths of the rows copied, <c>c</c> copied, <c>v</c> copied and compared, <c>f</c> failed,
    /// <c>u</c> undone.
    /// </summary>
    public string Letters => string.Create(Cells.Count, this, static (letters, model) =>
    {
        for (var i = 0; i < letters.Length; i++)
        {
            letters[i] = Letter(model.Cells[i], model.IsVerified);
        }
    });

    /// <summary>One sentence: what happens now or what it waits for.</summary>
    public string Doing => RunStory.Now(this);

    /// <summary>One sentence: what comes next, or what a person can do.</summary>
    public string Next => RunStory.Next(this);

    /// <summary>Ways to see how the old and the new table of each rebuild differ, while both are there.</summary>
    public IEnumerable<(string Label, string Link)> Comparisons
    {
        get
        {
            bool IsDone(int operation, string kind) => Status.Steps.Any(s => s.Kind == kind && s.State == StepState.Done && Plan.Steps[s.Index].Operation == operation);
            for (var i = 0; i < Plan.Operations.Count; i++)
            {
                if (Plan.Operations[i].Kind != OperationCatalog.Rebuild || Status.CleanedUp || !IsDone(i, CreateStaging.Name) || Plan.Operations[i].Shared.Deserialize<RebuildSpec>(PlanFormat.Json) is not { } spec)
                {
                    continue;
                }

                if (IsDone(i, CutOver.Name) || IsDone(i, ExchangeConsumers.Name) || IsDone(i, PausedCutOver.Name))
                {
                    yield return ($"Compare {spec.Source} with the old table", TableLink.Compare(spec.Retired, spec.Source));
                }
                else if (!spec.IsWhole)
                {
                    yield return ($"Compare {spec.Source} with its new table", TableLink.Compare(spec.Source, spec.Staging));
                }
            }
        }
    }

    private static char Letter(StepStatus cell, bool isVerified) => cell.State switch
    {
        StepState.Done => isVerified ? 'v' : 'c',
        StepState.Failed => 'f',
        StepState.Undone => 'u',
        StepState.Running => (char)('0' + (cell.RowsTotal is > 0 and var total ? Math.Min(9, cell.RowsDone * 10 / total) : 0)),
        _ => '.',
    };
}
