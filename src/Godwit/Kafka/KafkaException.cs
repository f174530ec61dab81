namespace Godwit.Kafka;

/// <summary>A broker did not do what it was asked for. The message is a sentence that names the broker and, if there is one, the topic or group.</summary>
/// <param name="message">What happened, and what to do.</param>
/// <param name="isTransient">Whether the same may work in a moment, as while leaders change.</param>
/// <param name="inner">What caused it.</param>
internal sealed class KafkaException(string message, bool isTransient = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the same may work in a moment.</summary>
    public bool IsTransient { get; } = isTransient;
}
