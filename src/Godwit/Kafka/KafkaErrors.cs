namespace Godwit.Kafka;

/// <summary>The error codes of brokers, in words. https://kafka.apache.org/protocol#protocol_error_codes</summary>
internal static class KafkaErrors
{
    public const short None = 0;
    public const short OffsetOutOfRange = 1;
    public const short UnknownTopicOrPartition = 3;
    public const short LeaderNotAvailable = 5;
    public const short NotLeader = 6;
    public const short CoordinatorLoading = 14;
    public const short CoordinatorNotAvailable = 15;
    public const short NotCoordinator = 16;
    public const short IllegalGeneration = 22;
    public const short UnknownMember = 25;
    public const short RebalanceInProgress = 27;

    /// <summary>The failure of a request.</summary>
    /// <param name="broker">The broker, host:port.</param>
    /// <param name="what">What it was asked for, such as <c>the offsets of topic events</c>.</param>
    /// <param name="code">The error code.</param>
    public static KafkaException Of(string broker, string what, short code) =>
        new($"{broker} did not tell {what}: {Explain(code)}.", isTransient: code is LeaderNotAvailable or NotLeader or CoordinatorLoading or CoordinatorNotAvailable or NotCoordinator);

    /// <summary>The answer, unless it comes with an error.</summary>
    public static T Check<T>(string broker, string what, short code, T answer) => code == None ? answer : throw Of(broker, what, code);

    /// <summary>The end of a sentence.</summary>
    public static string Explain(short code) => code switch
    {
        UnknownTopicOrPartition => "there is no such topic or partition (error 3)",
        LeaderNotAvailable => "a partition has no leader (error 5)",
        NotLeader => "another broker has become the leader (error 6)",
        CoordinatorLoading => "the coordinator of the group is still loading its offsets (error 14)",
        CoordinatorNotAvailable => "the group has no coordinator (error 15)",
        NotCoordinator => "another broker has become the coordinator of the group (error 16)",
        29 => "the topic is not open to a client that does not log in (error 29)",
        30 => "the group is not open to a client that does not log in (error 30)",
        31 => "the cluster is not open to a client that does not log in (error 31)",
        _ => $"error {code}",
    };
}
