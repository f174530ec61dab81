using System.Text.Json;
using Godwit.Kafka;
using Godwit.Operations;
using Godwit.Plans;
using Godwit.Workers;

namespace Godwit.Runs;

/// <summary>How a person wants a run to behave. Stored with the run; the defaults stand here and nowhere else.</summary>
public sealed record RunOptions
{
    /// <summary>Times of the day at which a worker may start it, as <see cref="TimeWindows.Parse"/> reads them; null for those of the settings.</summary>
    public string? StartWindow { get; init; }

    /// <summary>Wait in <see cref="RunState.AwaitingCutover"/> until a person asks for the cutover.</summary>
    public bool DeferCutover { get; init; }

    /// <summary>Do not wait for a person before steps that cannot be undone.</summary>
    public bool AcceptIrreversible { get; init; }

    /// <summary>How long a statement of a migration may take when its author names no time; it is ended then and its step fails. Null for as long as it takes.</summary>
    public TimeSpan? StatementTimeout { get; init; }

    /// <summary>How long after the cutover the retired table is kept for a rollback.</summary>
    public TimeSpan RollbackWindow { get; init; } = TimeSpan.FromHours(24);

    /// <summary>For how long a feed may be held at once; when the names have not changed hands by then, it goes on and the attempt is repeated later.</summary>
    public TimeSpan PauseBudget { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the topics of a feed keep messages, as a person has looked it up; counts where the broker does not tell.</summary>
    public TimeSpan? KafkaRetention { get; init; }

    /// <summary>What is asked of Kafka before a feed is held.</summary>
    internal KafkaGateOptions KafkaGate => new() { Pause = PauseBudget, Retention = KafkaRetention };

    /// <summary>Drop the retired table right after the cutover: no rollback.</summary>
    public bool DropRetired { get; init; }

    /// <summary>Brake: the most rows per second that are copied, over all lanes; null for no limit.</summary>
    public long? MaxRowsPerSecond { get; init; }

    /// <summary>Brake: hold while a partition of the source has more active parts than this; null for half of the server's own limit.</summary>
    public int? MaxParts { get; init; }

    /// <summary>Brake: hold while a disk of the table has fewer free bytes than this.</summary>
    public long MinFreeDisk { get; init; } = 1L << 30;

    /// <summary>Brakes: SQL that must return 0; anything else holds the run and is shown.</summary>
    public IReadOnlyList<string> BrakeSql { get; init; } = [];

    /// <summary>The most threads that the copy uses on the server; null for the server's cores.</summary>
    public int? Threads { get; init; }

    /// <summary>The most memory in bytes that the copy uses on the server; null to derive it from the server's limits.</summary>
    public long? Memory { get; init; }

    /// <summary>All problems of these options, one sentence each; empty when they can be used.</summary>
    public IReadOnlyList<string> Problems()
    {
        List<string> problems = [];
        void Require(bool condition, string sentence)
        {
            if (!condition)
            {
                problems.Add(sentence);
            }
        }

        Require(IsWindow(StartWindow), "--start-window must be a time of the day in UTC such as 22:00-06:00, several with commas, or any.");
        Require(RollbackWindow >= TimeSpan.Zero, "--rollback-window must not be negative: give a time such as 24h or 30m.");
        Require(StatementTimeout is null || (StatementTimeout > TimeSpan.Zero && StatementTimeout <= SqlStatements.LongestTimeout), "--statement-timeout must be more than 0 and at most 30d: give a time such as 6h or 30m.");
        Require(MaxRowsPerSecond is null or > 0, "--max-rows-per-second must be at least 1; leave it out for no limit, or use `godwit pause` to hold a run.");
        Require(PauseBudget >= TimeSpan.FromSeconds(1) && PauseBudget <= TimeSpan.FromDays(1), "--pause-budget must be between 1s and 24h: give a time such as 2m.");
        Require(KafkaRetention is null || KafkaRetention > TimeSpan.Zero, "--kafka-retention must be more than 0: give a time such as 7d, which is the retention.ms of the topic.");
        Require(MaxParts is null or > 0, "--max-parts must be at least 1.");
        Require(MinFreeDisk >= 0, "--min-free-disk must not be negative: give a size such as 10GB.");
        Require(Threads is null or (>= 1 and <= 1024), "--threads must be between 1 and 1024.");
        Require(Memory is null or >= 64L << 20, "--memory must be at least 64MB.");
        Require(BrakeSql.All(sql => !string.IsNullOrWhiteSpace(sql)), "--brake-sql must not be empty.");
        return problems;
    }

    /// <summary>Reads them as they are stored with a run.</summary>
    internal static RunOptions Read(string stored) => JsonSerializer.Deserialize<RunOptions>(stored, PlanFormat.Json)!;

    private static bool IsWindow(string? text)
    {
        try
        {
            return text is null || TimeWindows.Parse(text) is not null;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
