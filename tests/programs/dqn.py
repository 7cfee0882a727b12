"""Deep Q-learning on a little corridor, with replay and a target network."""

import random
from collections import deque

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

STATES, ACTIONS, GAMMA = 6, 2, 0.9


class Corridor:
    """Walk right to the end for a reward of one."""

    def reset(self):
        self.at = 0
        return self._state()

    def _state(self):
        return np.eye(STATES, dtype=np.float32)[self.at]

    def step(self, action):
        self.at = min(max(self.at + (1 if action else -1), 0), STATES - 1)
        done = self.at == STATES - 1
        return self._state(), float(done) - 0.01, done


def network(state, scope):
    with tf.variable_scope(scope):
        init = tf.variance_scaling_initializer(seed=len(scope))
        w1 = tf.get_variable("w1", [STATES, 16], initializer=init)
        b1 = tf.get_variable("b1", [16], initializer=tf.constant_initializer(0.01))
        w2 = tf.get_variable("w2", [16, ACTIONS], initializer=init)
        b2 = tf.get_variable("b2", [ACTIONS], initializer=tf.constant_initializer(0.01))
        return tf.matmul(tf.nn.relu(tf.matmul(state, w1) + b1), w2) + b2


class Agent:
    def __init__(self, sess):
        self.sess = sess
        self.state = tf.placeholder(tf.float32, [None, STATES], "state")
        self.next_state = tf.placeholder(tf.float32, [None, STATES], "next_state")
        self.action = tf.placeholder(tf.int32, [None], "action")
        self.reward = tf.placeholder(tf.float32, [None], "reward")
        self.done = tf.placeholder(tf.bool, [None], "done")
        self.q = network(self.state, "online")
        target_q = network(self.next_state, "target")
        best = tf.where(self.done, tf.zeros_like(self.reward), tf.reduce_max(target_q, axis=1))
        goal = tf.stop_gradient(self.reward + GAMMA * best)
        taken = tf.reduce_sum(self.q * tf.one_hot(self.action, ACTIONS), axis=1)
        delta = goal - taken
        clipped = tf.where(tf.abs(delta) < 1.0, 0.5 * tf.square(delta), tf.abs(delta) - 0.5)
        self.loss = tf.reduce_mean(clipped, name="loss")
        online = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope="online")
        target = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope="target")
        self.update = tf.group(*[t.assign(o) for o, t in zip(online, target)])
        self.train = tf.train.RMSPropOptimizer(0.01, momentum=0.5, epsilon=0.01).minimize(self.loss)

    def act(self, state, epsilon):
        if random.random() < epsilon:
            return random.randrange(ACTIONS)
        return int(np.argmax(self.sess.run(self.q, {self.state: state[None]})[0]))


random.seed(0)
memory, env = deque(maxlen=200), Corridor()
with tf.Session() as sess:
    agent = Agent(sess)
    sess.run(tf.global_variables_initializer())
    sess.run(agent.update)
    state, steps = env.reset(), 0
    while steps < 60:
        action = agent.act(state, epsilon=0.5)
        after, reward, done = env.step(action)
        memory.append((state, action, reward, after, done))
        state = env.reset() if done else after
        steps += 1
        if len(memory) >= 16 and steps % 2 == 0:
            states, actions, rewards, nexts, dones = zip(*random.sample(list(memory), 8))
            feed = {
                agent.state: np.array(states),
                agent.action: actions,
                agent.reward: rewards,
                agent.next_state: np.array(nexts),
                agent.done: dones,
            }
            _, loss = sess.run([agent.train, agent.loss], feed)
            print("loss", float(loss))
        if steps % 20 == 0:
            sess.run(agent.update)
