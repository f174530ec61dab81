using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Godwit.Runs;

namespace Godwit.Testing;

/// <summary>Writes down what a migration says to the server.</summary>
internal sealed partial class Conversation(Trials trials)
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    // Godwit adds them to be certain to find a statement in the server's log.
    private const string OfLog = "log_queries";

    /// <summary>Forward, and back where there is a way.</summary>
    public async Task<string> RecordAsync()
    {
        await using var trial = await trials.BeginAsync();
        var forward = await trial.ForwardAsync();
        Require(forward, RunState.Completed, "Run undisturbed");
        var text = new StringBuilder().Append("# forward\n").Append(Text(forward));
        if (await trial.CanGoBackAsync())
        {
            var back = await trial.BackAsync();
            Require(back, RunState.RolledBack, "Rolled back after its end");
            text.Append("\n# rollback\n").Append(Text(back));
        }

        return Steady(text.ToString(), forward.Status!.RunId);
    }

    private void Require(ProcessEnd end, RunState state, string when)
    {
        if (end.Status?.State != state)
        {
            throw new MigrationFaultException(trials.Name, [new MigrationFault(when, $"The run is not {state}.\n{end.Problem}".TrimEnd())]);
        }
    }

    /// <summary>The statements by their steps, so that steps which are done side by side do not change places.</summary>
    private static string Text(ProcessEnd end)
    {
        var steps = end.Status!.Steps;
        List<(int Step, SentStatement Statement)> said = [];
        foreach (var statement in end.Moments.Select(m => m.Statement).OfType<SentStatement>())
        {
            said.Add((Step(statement) ?? said.LastOrDefault().Step, statement));
        }

        var text = new StringBuilder();
        var order = said.Count > 0 && said[0].Step > said[^1].Step ? -1 : 1;
        foreach (var step in said.GroupBy(s => s.Step).OrderBy(g => g.Key * order))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {step.Key} {steps[step.Key].Kind}: {steps[step.Key].Description.ReplaceLineEndings(" ")}\n");
            foreach (var (_, statement) in step)
            {
                text.Append(Text(statement));
            }
        }

        return text.ToString();
    }

    private static string Text(SentStatement statement)
    {
        var settings = statement.Settings.Where(s => !s.Key.StartsWith(OfLog, StringComparison.Ordinal))
            .OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key} = {s.Value}").ToList();
        return $"{statement.Sql.ReplaceLineEndings("\n").TrimEnd()}\n{(settings.Count == 0 ? "" : $"-- with {string.Join(", ", settings)}\n")}";
    }

    /// <summary>The step whose statement it is, by its id.</summary>
    private static int? Step(SentStatement statement) => statement.QueryId is { } id && StepForm().Match(id) is { Success: true } match
        ? int.Parse(match.Groups["step"].Value, CultureInfo.InvariantCulture)
        : null;

    private string Steady(string text, string runId)
    {
        List<string> uuids = [];
        text = text.Replace(runId, "RUN", StringComparison.Ordinal).Replace(trials.Engine.Gateway.Name, "SERVER", StringComparison.Ordinal);
        text = UuidForm().Replace(text, match =>
        {
            if (!uuids.Contains(match.Value, StringComparer.Ordinal))
            {
                uuids.Add(match.Value);
            }

            return $"UUID{uuids.IndexOf(match.Value) + 1}";
        });
        return TimeForm().Replace(text, match => IsOfToday(match.Value) ? "TIME" : match.Value);
    }

    // Whatever the time zone, and however long ago the text was made.
    private static bool IsOfToday(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
        && (moment - DateTimeOffset.UtcNow).Duration() < 2 * Day;

    [GeneratedRegex("^godwit-[^-]+-(?<step>[0-9]+)-")]
    private static partial Regex StepForm();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", RegexOptions.IgnoreCase)]
    private static partial Regex UuidForm();

    [GeneratedRegex(@"\b\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?")]
    private static partial Regex TimeForm();
}
