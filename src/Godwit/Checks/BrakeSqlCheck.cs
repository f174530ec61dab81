using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Checks;

/// <summary>A brake that the server cannot answer would fail the run in its middle.</summary>
internal sealed class BrakeSqlCheck : IRebuildCheck
{
    public string Name => "brake-sql";

    public async Task<CheckResult?> RunAsync(RebuildDraft draft, CancellationToken ct)
    {
        foreach (var sql in draft.Options.BrakeSql)
        {
            try
            {
                var answer = await Brakes.AnswerAsync(draft.Gateway, sql, ct);
                if (!double.TryParse(answer, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
                {
                    return this.Refuse($"--brake-sql must return a number, 0 to go on; it returns {answer}: {sql}");
                }
            }
            catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
            {
                return this.Refuse($"--brake-sql cannot be answered: {e.ServerMessage}");
            }
        }

        return draft.Options.BrakeSql.Count == 0 ? null : this.Ok("The brake SQL can be answered.");
    }
}
