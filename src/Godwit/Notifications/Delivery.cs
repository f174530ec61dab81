using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Godwit.Notifications;

/// <summary>How notifications are sent: how patiently, and over what.</summary>
internal sealed record Delivery
{
    /// <summary>How long one try may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The pauses before the tries after the first.</summary>
    public IReadOnlyList<TimeSpan> Pauses { get; init; } = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)];

    /// <summary>How long what is under way may still take when the process wants to end.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The environment.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>The proxy for webhooks; null for the one that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name.</summary>
    public IWebProxy? Proxy { get; init; }

    /// <summary>Whom to trust; null for the authorities of the system.</summary>
    public X509ChainPolicy? Trust { get; init; }

    /// <summary>Sends, and tries again while that may help.</summary>
    /// <exception cref="NotSentException">It did not arrive, as far as is known.</exception>
    public async Task SendAsync(NotifyTarget target, Notification notification, TimeProvider clock, CancellationToken ct)
    {
        foreach (var pause in Pauses)
        {
            try
            {
                await TryAsync(target, notification, clock, ct);
                return;
            }
            catch (NotSentException e) when (e.IsTransient)
            {
                await Task.Delay(pause, clock, ct);
            }
        }

        await TryAsync(target, notification, clock, ct);
    }

    /// <summary>Sends, and tries once.</summary>
    /// <exception cref="NotSentException">It did not arrive, as far as is known.</exception>
    public async Task TryAsync(NotifyTarget target, Notification notification, TimeProvider clock, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await (Resolve(target) switch
            {
                HookTarget hook => HookSender.SendAsync(hook, notification, this, either.Token),
                MailTarget mail => MailSender.SendAsync(mail, notification, this, either.Token),
                _ => throw new NotSentException("holds the name of another place, not an address"),
            });
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new NotSentException($"it did not answer within {Timeout.TotalSeconds:0.#} s", isTransient: true, e);
        }
    }

    private NotifyTarget Resolve(NotifyTarget target)
    {
        if (target is not ReferredTarget referred)
        {
            return target;
        }

        List<string> problems = [];
        return NotifyTargets.ReadOne(referred.Source.Read(Variable).Trim(), problems) ?? throw new NotSentException($"what it holds {string.Join(", and ", problems)}");
    }
}
